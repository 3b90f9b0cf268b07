from __future__ import annotations

from pathlib import Path

import pytest

from components.errors import TrainingError
from components.settings.model import Model
from components.settings.training import Training
from components.tuner.range_test import range_test
from tests.components.tuner import made_features
from tests.explains import refused

MODEL = Model(backbone="mobilenet", weights=None)


def test_a_heads_loss_falls_and_then_diverges(tmp_path: Path) -> None:
    uri = made_features.write(tmp_path / "bottlenecks", train=48, validation=24)
    frozen = {"optimizer": "sgd", "schedule": {"kind": "cosine"}, "ema": 0.9}
    training = Training.model_validate(
        {"batch_size": 10, "class_weights": "balanced", "frozen": frozen}
    )
    curve = range_test(uri, made_features.CLASSES, MODEL, [32, 32], training)
    assert curve.rates[0] == pytest.approx(1e-7)
    assert min(curve.smoothed) < 0.9 * curve.smoothed[0]
    assert curve.suggestion is not None
    assert 1e-4 < curve.suggestion < 1
    assert curve == range_test(uri, made_features.CLASSES, MODEL, [32, 32], training)


def test_features_that_are_no_numbers_are_told(tmp_path: Path) -> None:
    uri = made_features.write(tmp_path / "b", train=12, validation=12, scale=float("nan"))
    with refused(
        TrainingError,
        found="NaN at any rate",
        allowed="the features that BottleneckGen wrote can't be used",
        next="Look at model.weights, or try another backbone",
    ):
        range_test(uri, made_features.CLASSES, MODEL, [32, 32], Training(batch_size=12))
