"""The Tuner's search and the learning-rate range test, on cached features."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from components.errors import ConfigError
from pipeline.commands.lr_find import lr_find
from tests.e2e.conftest import BEFORE_TRAINER, FirstRun
from tests.explains import refused

SHORT = [
    "training.frozen.epochs=2",
    "training.frozen.schedule.kind=constant",
    "training.unfrozen.epochs=0",
]


def test_another_search_reruns_tuner_and_trainer_and_nothing_before(first_run: FirstRun) -> None:
    search = [*SHORT, "tuner.trials=1", "tuner.epochs=1"]
    first_run.run(*search, to_node="Tuner")
    result = first_run.run(*search, "tuner.units=[8, 16]", to_node="Trainer")
    states = {name: node["state"] for name, node in result["components"].items()}
    assert {states[name] for name in BEFORE_TRAINER} <= {"cached", "skipped"}
    assert states["BottleneckGen"] == "cached"
    assert (states["Tuner"], states["Trainer"]) == ("ran", "ran")
    history = json.loads((newest(first_run, "Trainer", "model_run") / "history.json").read_text())
    assert history["tuned"]["units"] in (8, 16)
    assert history["best"]["learning_rate"] == pytest.approx(history["tuned"]["learning_rate"])


def newest(first_run: FirstRun, component: str, name: str) -> Path:
    folder = first_run.root / "image-classifier" / component / name
    return max(folder.iterdir(), key=lambda path: int(path.name))


def test_lr_find_suggests_a_rate_from_the_cached_features(
    first_run: FirstRun, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lr_find(first_run.request(as_json=True)) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert 1e-6 < found["suggestion"] < 1
    assert found["configured"] == 0.01
    curve = json.loads(Path(found["figures"]).read_text())
    assert len(curve["rates"]) == len(curve["losses"]) == len(curve["smoothed"]) > 50
    with Image.open(found["plot"]) as plot:
        assert plot.size == (840, 480)


def test_lr_find_needs_cached_features(first_run: FirstRun) -> None:
    with refused(
        ConfigError,
        found="this configuration has none",
        allowed="the rates are tried on cached features",
        next="set training.frozen.features=cached",
    ):
        lr_find(first_run.request("training.frozen.features=end_to_end"))
