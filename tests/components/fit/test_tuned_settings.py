from __future__ import annotations

import json
from pathlib import Path

import pytest
from tfx.types import standard_artifacts

from components.fit import tuned_settings
from components.settings.model import Dense, Head
from components.settings.training import Frozen

PLAIN = Head(dropout=0.2)
DEEP = Head(dense=[Dense(units=64, activation="gelu", dropout=0.5), Dense(units=32)])


def units(head: Head) -> list[int]:
    return [layer.units for layer in head.dense]


def test_a_head_without_dense_layers_gets_one() -> None:
    assert tuned_settings.units_of(PLAIN) == ["units"]
    head, _ = tuned_settings.apply({"units": 128, "dropout": 0.4}, PLAIN, Frozen())
    assert head.dense == [Dense(units=128, activation="relu", dropout=0.4)]
    assert head.dropout == 0.4


def test_no_units_are_no_layer() -> None:
    assert tuned_settings.apply({"units": 0}, PLAIN, Frozen())[0].dense == []
    assert units(tuned_settings.apply({"units_1": 0, "units_2": 8}, DEEP, Frozen())[0]) == [8]


def test_each_layer_has_units_of_its_own_and_keeps_its_activation() -> None:
    assert tuned_settings.units_of(DEEP) == ["units_1", "units_2"]
    head, _ = tuned_settings.apply({"units_1": 256, "units_2": 16}, DEEP, Frozen())
    assert head.dense == [Dense(units=256, activation="gelu", dropout=0.5), Dense(units=16)]


def test_what_was_not_tuned_stays_as_it_is_configured() -> None:
    assert tuned_settings.apply({}, DEEP, Frozen()) == (DEEP, Frozen())
    assert tuned_settings.apply({"dropout": 0.3}, PLAIN, Frozen())[0].dense == []
    head, frozen = tuned_settings.apply({"learning_rate": 0.02}, DEEP, Frozen(epochs=3))
    assert (head, frozen) == (DEEP, Frozen(epochs=3, learning_rate=0.02))


@pytest.mark.parametrize("extra", [{}, {"tuner/epochs": 3, "tuner/trial_id": "004"}])
def test_the_best_values_are_read_without_what_kerastuner_adds(
    tmp_path: Path, extra: dict[str, object]
) -> None:
    artifact = standard_artifacts.HyperParameters()
    artifact.uri = str(tmp_path)
    content = {"space": [], "values": {"units": 64, **extra}}
    (tmp_path / "best_hyperparameters.txt").write_text(json.dumps(content))
    assert tuned_settings.read_best([artifact]) == {"units": 64}
    assert tuned_settings.read_best([]) == {}
