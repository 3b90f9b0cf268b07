"""An export that alone is new takes over the weights that an earlier training fitted."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from components.files import tfx_plugin
from components.model.network import Network
from components.model.transform_graph import Pixels
from components.settings.export import Served
from components.settings.model import Model
from components.settings.training import Training
from components.trainer import earlier_fit
from components.trainer.earlier_fit import EarlierFit
from components.trainer.history import FILE, History
from components.trainer.settings import TrainerSettings
from components.trainer.starting_network import starting_network
from tests import s3_server
from tests.components.trainer import made_training
from tests.s3_server import BUCKET

ROW = {"phase": "unfrozen", "epoch": 1, "loss": 0.5, "val_loss": 0.25, "val_accuracy": 1.0}


def made(node: Path, execution: str, work: Path, network: Network | None = None) -> EarlierFit:
    """Writes what a Trainer leaves that is over, and whose fit is that of `work`."""
    model, logs = node / "model" / execution, node / "model_run" / execution
    (logs / "unfrozen").mkdir(parents=True)
    (logs / "unfrozen" / "events").write_bytes(b"events")
    history = History(epochs=[ROW], best_epoch=ROW, tuned={"units": 8}, precision="bfloat16")
    (logs / FILE).write_text(history.as_json())
    model.mkdir(parents=True)
    weights = model / earlier_fit.MODEL_FILE
    network.classifier.save(weights) if network else weights.touch()
    earlier_fit.note(str(model), str(work))
    return EarlierFit(str(model), str(logs))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "Trainer" / ".unfinished" / "0123456789abcdef"


def test_the_newest_outputs_of_the_same_fit_are_found(tmp_path: Path, work: Path) -> None:
    node = tmp_path / "Trainer"
    assert earlier_fit.find(str(work)) is None
    made(node, "9", work)
    expected = made(node, "10", work)
    made(node, "11", work.with_name("another"))
    assert earlier_fit.find(str(work)) == expected


@pytest.mark.parametrize("missing", ["fit.txt", "model.keras", "history.json"])
def test_outputs_that_are_not_whole_are_none(tmp_path: Path, work: Path, missing: str) -> None:
    made(tmp_path / "Trainer", "9", work)
    [path] = (tmp_path / "Trainer").rglob(missing)
    path.unlink()
    assert earlier_fit.find(str(work)) is None


def test_outputs_that_were_put_aside_are_none(tmp_path: Path, work: Path) -> None:
    made(tmp_path / "Trainer", "9.changed-1", work)
    assert earlier_fit.find(str(work)) is None


def test_only_the_export_is_no_part_of_a_fit() -> None:
    def fit(served: Served, seed: int = 0) -> str:
        settings = TrainerSettings(model=Model(), training=Training(seed=seed), served=served)
        return settings.of_fit.model_dump_json()

    assert fit(Served()) == fit(Served(precision="bfloat16", average_flips=["vertical"]))
    assert fit(Served()) != fit(Served(), seed=1)


def test_what_is_taken_over_predicts_and_tells_what_the_earlier_training_did(
    pixels: Pixels, split: str, tmp_path: Path, work: Path
) -> None:
    given = made_training.inputs(pixels, split)
    fitted = starting_network(given)
    fitted.classifier.set_weights([each + 0.01 for each in fitted.classifier.get_weights()])
    earlier = made(tmp_path / "Trainer", "9", work, fitted)
    logs = tmp_path / "logs"
    taken = earlier_fit.take_over(earlier, given, str(logs))
    picture = keras.random.uniform((2, *pixels.size, 3), seed=1)
    expected = fitted.classifier(picture).numpy()
    np.testing.assert_array_equal(taken.network.classifier(picture).numpy(), expected)
    assert taken.history == History([ROW], ROW, {"units": 8}, "bfloat16")
    assert (logs / "unfrozen" / "events").read_bytes() == b"events"


def test_outputs_in_a_bucket_are_taken_over_from_there(
    pixels: Pixels, split: str, tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = made_training.inputs(pixels, split)
    fitted = starting_network(given)
    made(tmp_path / "Trainer", "9", work, fitted)
    for server in s3_server.serving(monkeypatch):
        tfx_plugin.register()
        for path in (tmp_path / "Trainer").rglob("*"):
            if path.is_file():
                server.put(f"root/{path.relative_to(tmp_path)}", path.read_bytes())
        there = f"s3://{BUCKET}/root/Trainer"
        earlier = earlier_fit.find(f"{there}/.unfinished/{work.name}")
        assert earlier == EarlierFit(f"{there}/model/9", f"{there}/model_run/9")
        taken = earlier_fit.take_over(earlier, given, str(tmp_path / "logs"))
    for found, expected in zip(
        taken.network.classifier.get_weights(), fitted.classifier.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(found, expected)
    assert (tmp_path / "logs" / "unfrozen" / "events").read_bytes() == b"events"
