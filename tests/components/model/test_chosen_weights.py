from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tfx.types import Artifact, standard_artifacts

from components.errors import ConfigError
from components.model.chosen_weights import WeightsDriver, weights_file
from components.settings.model import Model
from components.settings.training import Training
from components.trainer.component import Trainer
from components.trainer.settings import TrainerSettings
from tests.components.made_step import about_to_run
from tests.explains import refused


def facts(weights: Path | None, baseline: list[Artifact] | None = None) -> dict[str, str]:
    model = Model(weights=None if weights is None else str(weights))
    settings = TrainerSettings(model=model, training=Training())
    inputs = {} if baseline is None else {"baseline": baseline}
    return WeightsDriver(None).facts_of(about_to_run(Trainer, settings, input_dict=inputs))


def test_the_cache_key_has_the_content_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "base.weights.h5"
    file.write_bytes(b"one")
    assert facts(file) == {"weights_sha256": hashlib.sha256(b"one").hexdigest()}
    file.write_bytes(b"two")
    assert facts(file) == {"weights_sha256": hashlib.sha256(b"two").hexdigest()}


def test_random_weights_need_no_file() -> None:
    assert facts(None) == {}
    assert weights_file(Model(weights=None)) is None


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with refused(
        ConfigError,
        found=r"model.weights: no file .*none\.h5",
        allowed="Allowed are an existing file, `imagenet`, or null",
        next="correct the path, or set one of the others",
    ):
        facts(tmp_path / "none.h5")


def test_no_file_is_asked_for_where_the_training_goes_on_from_the_served_model(
    tmp_path: Path,
) -> None:
    baseline = standard_artifacts.Model()
    baseline.uri = str(tmp_path / "model")
    with refused(
        ConfigError,
        found="model.weights: no file",
        allowed="Allowed are an existing file",
        next="correct the path",
    ):
        facts(tmp_path / "none.h5", [baseline])
    (tmp_path / "model" / "Format-Serving").mkdir(parents=True)
    assert facts(tmp_path / "none.h5", [baseline]) == {}


def test_the_home_folder_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "base.h5").touch()
    assert weights_file(Model(weights="~/base.h5")) == tmp_path / "base.h5"
