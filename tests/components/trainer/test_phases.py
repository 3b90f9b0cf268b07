from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.settings.training import Frozen, Unfrozen
from components.trainer.phases import Record, Split, fit_phase

COUNT = 32


def pictures(seed: int, inverted: bool = False) -> tf.data.Dataset:
    """Two features of which the first one's sign is the class, or its opposite."""
    inputs = np.random.default_rng(seed).normal(size=(COUNT, 2)).astype(np.float32)
    classes = ((inputs[:, 0] > 0) != inverted).astype(np.int64)
    return tf.data.Dataset.from_tensor_slices((inputs, classes)).batch(8)


LEARNABLE = Split(pictures(1), pictures(2))
MISLEADING = Split(pictures(1), pictures(2, inverted=True))  # every step makes `eval` worse


@pytest.fixture
def model() -> keras.Model:
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation="softmax")])


def fit(
    model: keras.Model,
    data: Split,
    logs: Path,
    record: Record,
    name: str = "frozen",
    class_weight: dict[int, float] | None = None,
    **settings: Any,
) -> None:
    chosen = Frozen(**settings) if name == "frozen" else Unfrozen(**settings)
    fit_phase(name, model, data, chosen, class_weight, record, str(logs))


def eval_loss(model: keras.Model, data: Split) -> float:
    losses = [
        keras.losses.sparse_categorical_crossentropy(classes, model(inputs)).numpy()
        for inputs, classes in data.validation
    ]
    return float(np.concatenate(losses).mean())


def test_it_learns(model: keras.Model, tmp_path: Path) -> None:
    record = Record()
    fit(model, LEARNABLE, tmp_path, record, epochs=20, learning_rate=0.1)
    assert record.epochs[-1]["val_accuracy"] > 0.9
    assert record.best_loss == min(row["val_loss"] for row in record.epochs)
    assert eval_loss(model, LEARNABLE) == pytest.approx(record.best_loss, rel=1e-4)


def test_the_best_epoch_is_left_in_the_model_and_not_the_last(
    model: keras.Model, tmp_path: Path
) -> None:
    record = Record()
    fit(model, MISLEADING, tmp_path, record, epochs=4, learning_rate=0.1)
    losses = [row["val_loss"] for row in record.epochs]
    assert losses == sorted(losses)
    assert record.best_epoch is record.epochs[0]
    assert eval_loss(model, MISLEADING) == pytest.approx(losses[0], rel=1e-4)


def test_a_second_phase_that_is_never_better_leaves_the_first_ones_best(
    model: keras.Model, tmp_path: Path
) -> None:
    record = Record()
    fit(model, LEARNABLE, tmp_path, record, epochs=10, learning_rate=0.1)
    best, weights = record.best_epoch, model.get_weights()
    fit(
        model, MISLEADING, tmp_path, record, "unfrozen",
        epochs=3, learning_rate=0.5,
    )  # fmt: skip
    assert len(record.epochs) == 13
    assert record.best_epoch is best
    for left, right in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_second_phase_that_is_better_is_kept(model: keras.Model, tmp_path: Path) -> None:
    record = Record()
    fit(model, LEARNABLE, tmp_path, record, epochs=1, learning_rate=1e-4)
    fit(model, LEARNABLE, tmp_path, record, "unfrozen", epochs=5, learning_rate=0.5)
    assert record.best_epoch is not None
    assert record.best_epoch["phase"] == "unfrozen"
    assert eval_loss(model, LEARNABLE) == pytest.approx(record.best_loss, rel=1e-4)


def test_no_epochs_change_nothing(model: keras.Model, tmp_path: Path) -> None:
    record, before = Record(), model.get_weights()
    fit(model, LEARNABLE, tmp_path, record, epochs=0)
    assert record == Record()
    for left, right in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(left, right)


def test_every_epoch_leaves_a_row(model: keras.Model, tmp_path: Path) -> None:
    record = Record()
    fit(model, LEARNABLE, tmp_path, record, epochs=2, learning_rate=0.25)
    fit(model, LEARNABLE, tmp_path, record, "unfrozen", epochs=1, learning_rate=1e-4)
    assert [(row["phase"], row["epoch"]) for row in record.epochs] == [
        ("frozen", 1),
        ("frozen", 2),
        ("unfrozen", 1),
    ]
    assert set(record.epochs[0]) == {
        *("phase", "epoch", "loss", "accuracy", "val_loss", "val_accuracy"),
        *("learning_rate", "seconds"),
    }
    rates = [row["learning_rate"] for row in record.epochs]
    assert rates == pytest.approx([0.25, 0.25, 1e-4])
    assert all(isinstance(row["val_loss"], float) and row["seconds"] > 0 for row in record.epochs)


@pytest.mark.parametrize(
    ("name", "settings", "kind", "momentum"),
    [
        ("frozen", {}, "Adam", None),
        ("frozen", {"optimizer": "sgd"}, "SGD", 0.0),
        ("frozen", {"optimizer": "rmsprop", "momentum": 0.5}, "RMSprop", 0.5),
        ("unfrozen", {}, "SGD", 0.9),
        ("unfrozen", {"optimizer": "sgd", "momentum": 0.3}, "SGD", 0.3),
    ],
)
def test_the_optimizer_is_the_configured_one(
    model: keras.Model,
    tmp_path: Path,
    name: str,
    settings: dict[str, Any],
    kind: str,
    momentum: float | None,
) -> None:
    fit(model, LEARNABLE, tmp_path, Record(), name, epochs=1, learning_rate=0.125, **settings)
    optimizer = model.optimizer
    assert type(optimizer).__name__ == kind
    assert float(optimizer.learning_rate) == 0.125
    assert getattr(optimizer, "momentum", None) == momentum


def test_a_class_of_no_weight_is_not_learnt(model: keras.Model, tmp_path: Path) -> None:
    fit(
        model, LEARNABLE, tmp_path, Record(), class_weight={0: 0.0, 1: 1.0},
        epochs=20, learning_rate=0.5,
    )  # fmt: skip
    rare = np.array([[-0.2, 0.0]], np.float32)  # of class 0
    assert model(rare).numpy()[0, 1] > 0.5


def test_tensorboard_finds_the_events_of_each_phase(model: keras.Model, tmp_path: Path) -> None:
    fit(model, LEARNABLE, tmp_path, Record(), epochs=1)
    fit(model, LEARNABLE, tmp_path, Record(), "unfrozen", epochs=1)
    for name in ("frozen", "unfrozen"):
        assert list((tmp_path / name).rglob("events.out.tfevents.*"))
