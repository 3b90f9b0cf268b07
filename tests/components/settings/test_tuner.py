from __future__ import annotations

from typing import Any

import pytest

from components.errors import ConfigError
from pipeline import config
from tests.explains import refused


def build(tuner: dict[str, Any], **training: Any) -> config.Config:
    keys = {"data": {"source": "pictures"}, "push": {"directory": "models"}}
    return config.build({**keys, "tuner": tuner, "training": training})


def test_nothing_is_tuned_unless_it_is_asked_for() -> None:
    assert build({}).tuner.trials == 0
    assert build({}, warm_start=True, frozen={"features": "end_to_end"}).tuner.trials == 0


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"units": [64]}, "tuner.units: .* at least 2"),
        ({"units": [64, 64]}, r"tuner.units: found \[64, 64\]; each value may stand there once"),
        ({"units": [0, -1]}, "tuner.units.1: found the number -1"),
        ({"units": [0, 100_000]}, "tuner.units.1: .* 16384"),
        ({"dropout": [0.5, 0.1]}, r"tuner.dropout: found \[0.5, 0.1\]; .*the lower one first"),
        ({"dropout": [0.1, 1.0]}, "tuner.dropout.1: .* less than 1"),
        ({"dropout": 0.5}, "tuner.dropout: found the number 0.5"),
        ({"learning_rate": [0, 0.1]}, "tuner.learning_rate.0: .* greater than 0"),
        ({"learning_rate": [0.1, 0.1]}, "tuner.learning_rate: .*the lower one first"),
        ({"units": None, "dropout": None, "learning_rate": None}, "nothing would be tuned"),
        ({"algorithm": "grid"}, "tuner.algorithm: .*'random', 'bayesian' or 'hyperband'"),
        ({"trials": 1001}, "tuner.trials: .* 1000"),
        ({"epochs": 0}, "tuner.epochs: .* 1"),
    ],
)
def test_what_can_not_be_searched_is_refused(wrong: dict[str, Any], told: str) -> None:
    with refused(
        ConfigError, found="tuner", allowed=told, next="correct these keys, in the file or by --set"
    ):
        build(wrong)


@pytest.mark.parametrize(
    ("training", "told"),
    [
        ({"frozen": {"features": "end_to_end"}}, "no cached features.*features: cached"),
        ({"frozen": {"epochs": 0}}, "no cached features.*frozen.epochs to 1 or more"),
        ({"warm_start": True}, "head is that of the model served now.*trials: 0"),
    ],
)
def test_a_training_without_heads_to_choose_from_is_refused(
    training: dict[str, Any], told: str
) -> None:
    with refused(
        ConfigError, found="tuner.trials: found 5, ", allowed=told, next="correct these keys"
    ):
        build({"trials": 5}, **training)
