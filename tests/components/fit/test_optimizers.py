from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from components.fit.optimizers import build_optimizer, layer_decay
from components.settings.training import Frozen, Phase, Unfrozen

STEPS = 10


def phase(**settings: Any) -> Phase:
    return Unfrozen.model_validate({"epochs": 4, "learning_rate": 0.1, **settings})


def rates(settings: Phase, steps: list[int]) -> list[float]:
    optimizer = build_optimizer(settings, STEPS)
    optimizer.build([keras.Variable(np.zeros(1))])
    found = []
    for step in steps:
        optimizer.iterations.assign(step)
        found.append(float(optimizer.learning_rate))
    return found


@pytest.mark.parametrize(
    ("settings", "kind", "momentum"),
    [
        (Frozen(), "Adam", None),
        (Frozen(optimizer="adamw"), "AdamW", None),
        (Frozen(optimizer="sgd"), "SGD", 0.0),
        (Frozen(optimizer="rmsprop", momentum=0.5), "RMSprop", 0.5),
        (Unfrozen(), "SGD", 0.9),
        (Unfrozen(optimizer="adam"), "Adam", None),
        (Unfrozen(optimizer="sgd", momentum=0.3, nesterov=True), "SGD", 0.3),
    ],
)
def test_the_optimizer_is_the_configured_one(
    settings: Phase, kind: str, momentum: float | None
) -> None:
    optimizer = build_optimizer(settings, STEPS)
    assert type(optimizer).__name__ == kind
    assert float(optimizer.learning_rate) == pytest.approx(settings.learning_rate)
    assert getattr(optimizer, "momentum", None) == momentum
    assert getattr(optimizer, "nesterov", False) == settings.nesterov


def test_gradients_are_cut_and_weights_decay_where_that_is_asked_for() -> None:
    optimizer = build_optimizer(phase(clip_norm=0.5, weight_decay=0.01, ema=0.9), STEPS)
    assert optimizer.global_clipnorm == 0.5
    assert optimizer.weight_decay == 0.01
    assert (optimizer.use_ema, optimizer.ema_momentum) == (True, 0.9)
    plain = build_optimizer(phase(), STEPS)
    assert (plain.global_clipnorm, plain.weight_decay, plain.use_ema) == (None, None, False)


def test_cosine_falls_from_the_rate_to_nothing_at_the_phases_end() -> None:
    found = rates(phase(schedule={"kind": "cosine"}), [0, 20, 40])
    assert found == pytest.approx([0.1, 0.05, 0], abs=1e-7)


def test_exponential_is_multiplied_over_every_epoch() -> None:
    found = rates(phase(schedule={"kind": "exponential", "factor": 0.5}), [0, 10, 30])
    assert found == pytest.approx([0.1, 0.05, 0.0125])


def test_inverse_time_is_the_decay_of_older_keras() -> None:
    found = rates(phase(schedule={"kind": "inverse_time", "factor": 0.1}), [0, 10, 30])
    assert found == pytest.approx([0.1, 0.05, 0.025])


@pytest.mark.parametrize("kind", ["constant", "cosine", "exponential", "inverse_time"])
def test_the_rate_rises_first_where_a_warm_up_is_asked_for(kind: str) -> None:
    schedule = {"kind": kind, "factor": 0.5, "warmup_epochs": 0.5}
    found = rates(phase(schedule=schedule), [0, 1, 2, 3, 4, 5])
    assert found[:5] == pytest.approx([0.02, 0.04, 0.06, 0.08, 0.1], rel=0.05)
    assert found[5] <= 0.1 + 1e-7


@pytest.mark.parametrize("kind", ["sgd", "adam"])
def test_lower_layers_learn_more_slowly_where_that_is_asked_for(kind: str) -> None:
    inputs = keras.Input((1,))
    outputs = inputs
    for name in ("low", "middle", "high"):
        dense = keras.layers.Dense(1, kernel_initializer="ones", use_bias=False, name=name)
        outputs = dense(outputs)
    base = keras.Model(inputs, outputs)
    scales = layer_decay(base, 2, 0.5)  # the lowest does not learn
    middle, high = base.get_layer("middle").kernel, base.get_layer("high").kernel
    assert scales == {high.path: 0.5, middle.path: 0.25}
    optimizer = build_optimizer(phase(optimizer=kind, momentum=0.0), STEPS, scales)
    optimizer.build([middle, high])
    optimizer.apply([keras.ops.ones((1, 1)), keras.ops.ones((1, 1))])
    moved = [1 - float(kernel.numpy()[0, 0]) for kernel in (middle, high)]
    assert moved == pytest.approx([0.025, 0.05], rel=1e-4)


def test_without_decay_every_layer_has_the_same_rate() -> None:
    inputs = keras.Input((1,))
    base = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    assert layer_decay(base, 1, 1.0) == {}
