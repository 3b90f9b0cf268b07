from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.run_command import Request, execute
from tests import made_pictures

pytestmark = pytest.mark.slow

QUICK = [
    "model.weights=null",
    "data.splits={train: 3, eval: 1, test: 1}",
    "training.batch_size=16",
    "training.unfrozen.epochs=1",
    # Random weights for one epoch: what is tried here is that the recipe runs to a push.
    "gate={min_accuracy: 0, min_class_recall: 0, beats_majority_class: false}",
]


@pytest.mark.parametrize(
    ("preset", "size"),
    [
        ("cats-vs-dogs-inception-v3", 75),
        ("feature-extraction-then-fine-tuning", 75),
        ("medical-vgg16", 32),
        ("mosquito-inception-v3-se", 75),
    ],
)
def test_the_preset_runs_to_a_pushed_model(preset: str, size: int, tmp_path: Path) -> None:
    pictures = made_pictures.make(tmp_path / "pictures", 20)
    own = ["training.frozen.epochs=1", f"image.size=[{size}, {size}]"]
    result = execute(
        Request(
            preset=preset,
            data=str(pictures),
            root=str(tmp_path / "root"),
            assignments=[*QUICK, *own],
        )
    )
    assert result["verdict"] == "pushed", result["error"]
    assert Path(result["model_dir"], str(result["pushed_version"]), "saved_model.pb").is_file()
