"""A model with `export.certain` knows its classes, and does not know a class never seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.artifacts.predictions import read_from
from components.model.transform_graph import first_pictures
from pipeline.launch import environment
from serving.saved_model_session import SavedModelSession
from tests import made_pictures
from tests.e2e.conftest import Place

pytestmark = pytest.mark.slow


def stripes(number: int) -> Image.Image:
    """A picture of a class that is in no split: black and white stripes."""
    random = np.random.default_rng(number)
    pixels = np.where(np.arange(40)[:, None, None] // 4 % 2, 235, 20) + np.zeros((40, 40, 3))
    return Image.fromarray(
        np.clip(pixels + random.normal(0, 12, pixels.shape), 0, 255).astype("u1")
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    environment.prepare()
    folder = tmp_path_factory.mktemp("certain")
    return Place(made_pictures.make(folder / "pictures", 60), folder / "root")


def test_known_pictures_are_certain_and_those_of_a_class_never_seen_are_not(
    place: Place, tmp_path: Path
) -> None:
    result = place.run(
        "data.splits={train: 4, eval: 4, test: 2}",
        "training.frozen.epochs=20",
        "export.certain={accuracy: 0.95, distance: true}",
    )
    assert result["verdict"] == "pushed", result["error"]
    [row] = [row for row in result["gate"] if row["metric"] == "certain_accuracy"]
    assert row["passed"] and "answers " in row["needed"]
    report = Path(result["report"]).read_text("utf-8")
    assert "Answering less" in report and "it answers" in report
    served = Path(result["model_dir"], str(result["pushed_version"]))
    root = place.root / "image-classifier"
    [test] = root.glob("ImageExampleGen/examples/*/Split-test")
    known = first_pictures(str(test), 100)
    for number in range(20):
        stripes(number).save(tmp_path / f"{number}.png")
    unseen = [(tmp_path / f"{number}.png").read_bytes() for number in range(20)]
    with SavedModelSession(served) as session:
        of_known, of_unseen = (
            session.run("serving_default", {"inputs": np.array(pictures, object)})
            for pictures in (known, unseen)
        )
    certain, not_seen = of_known["certain"], of_unseen["certain"]
    print("CERTAIN", certain.mean(), not_seen.mean())
    assert of_unseen["distance"].min() > np.median(of_known["distance"])
    [predictions] = root.glob("Evaluator/predictions/*")
    kept = read_from(str(predictions)).distances
    np.testing.assert_allclose(np.sort(kept), np.sort(of_known["distance"]), rtol=1e-3)
    assert certain.mean() >= 0.9
    assert not_seen.mean() <= 0.2
