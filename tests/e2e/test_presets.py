from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.commands.run import Request, execute
from tests import made_pictures
from tests.pipeline.store.made_store import MadeStore

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
    ("preset", "size", "root"),
    [
        ("cats-vs-dogs-inception-v3", 75, None),
        ("feature-extraction-then-fine-tuning", 75, None),
        ("medical-vgg16", 32, "made://bucket/runs"),
        ("mosquito-inception-v3-se", 75, None),
    ],
)
def test_the_preset_runs_to_a_pushed_model_wherever_its_root_is(
    preset: str, size: int, root: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    MadeStore.keep_in(tmp_path / "store")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # where logs go, then
    pictures = made_pictures.make(tmp_path / "pictures", 20)
    own = [
        "training.frozen.epochs=1",
        f"image.size=[{size}, {size}]",
        f"runtime.metadata={tmp_path / 'metadata.sqlite'}",
        f"push.directory={tmp_path / 'served'}",
    ]
    result = execute(
        Request(
            preset=preset,
            data=str(pictures),
            root=root or str(tmp_path / "root"),
            assignments=[*QUICK, *own],
        )
    )
    assert result["verdict"] == "pushed", result["error"]
    assert result["report"].startswith(root or str(tmp_path / "root"))
    assert Path(result["model_dir"], str(result["pushed_version"]), "saved_model.pb").is_file()
