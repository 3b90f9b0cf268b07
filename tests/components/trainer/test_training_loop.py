from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.artifacts import tfrecords
from components.artifacts.record_counts import RecordsLost
from components.errors import TrainingError
from components.fit.training_data import Data
from components.settings.training import Frozen, Phase, Unfrozen
from components.step.own_errors import unwrapped
from components.trainer import phases
from components.trainer.input import read_data
from components.trainer.learner import Learner
from components.trainer.training_loop import TrainingLoop
from components.trainer.training_state import TrainingState
from tests.explains import refused

COUNT = 32


def pictures(seed: int, inverted: bool = False) -> tf.data.Dataset:
    """Two features of which the first one's sign is the class, or its opposite."""
    inputs = np.random.default_rng(seed).normal(size=(COUNT, 2)).astype(np.float32)
    classes = ((inputs[:, 0] > 0) != inverted).astype(np.int64)
    return tf.data.Dataset.from_tensor_slices((inputs, np.eye(2)[classes])).batch(8)


def data(validation: tf.data.Dataset) -> Data:
    return Data(lambda first, last: pictures(1).repeat(last - first), COUNT // 8, validation)


LEARNABLE = data(pictures(2))
MISLEADING = data(pictures(2, inverted=True))  # every step makes `eval` worse


@pytest.fixture
def model() -> Learner:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((2,))
    return Learner(inputs, keras.layers.Dense(2, activation="softmax")(inputs))


@pytest.fixture
def loop(tmp_path: Path) -> TrainingLoop:
    return TrainingLoop(
        state=TrainingState(), work=str(tmp_path / "work"), logs=str(tmp_path / "logs"), seed=0
    )


def run(loop: TrainingLoop, name: str, model: Learner, of: Data, settings: Phase) -> None:
    """Fits one phase."""
    prepared = phases.Prepared(learner=model, data=of)
    loop.run([phases.Phase(name, settings, lambda: prepared)])


def eval_loss(model: keras.Model, of: Data) -> float:
    losses = [
        keras.losses.categorical_crossentropy(labels, model(inputs)).numpy()
        for inputs, labels in of.validation
    ]
    return float(np.concatenate(losses).mean())


def test_it_learns(model: Learner, loop: TrainingLoop) -> None:
    run(loop, "frozen", model, LEARNABLE, Frozen(epochs=20, learning_rate=0.1))
    assert loop.state.history.epochs[-1]["val_accuracy"] > 0.9
    assert loop.state.history.best_loss == min(row["val_loss"] for row in loop.state.history.epochs)
    assert eval_loss(model, LEARNABLE) == pytest.approx(loop.state.history.best_loss, rel=1e-4)


def test_the_best_epoch_is_left_in_the_model_and_not_the_last(
    model: Learner, loop: TrainingLoop
) -> None:
    run(loop, "frozen", model, MISLEADING, Frozen(epochs=4, learning_rate=0.1))
    losses = [row["val_loss"] for row in loop.state.history.epochs]
    assert losses == sorted(losses)
    assert loop.state.history.best_epoch == loop.state.history.epochs[0]
    assert eval_loss(model, MISLEADING) == pytest.approx(losses[0], rel=1e-4)


def test_the_last_epoch_is_left_where_it_is_to_be_kept(model: Learner, loop: TrainingLoop) -> None:
    loop.keep = "last"
    run(loop, "frozen", model, MISLEADING, Frozen(epochs=4, learning_rate=0.1))
    last = loop.state.history.epochs[-1]
    assert loop.state.history.best_epoch == last
    assert eval_loss(model, MISLEADING) == pytest.approx(last["val_loss"], rel=1e-4)


def test_a_second_phase_that_is_never_better_leaves_the_first_ones_best(
    model: Learner, loop: TrainingLoop
) -> None:
    run(loop, "frozen", model, LEARNABLE, Frozen(epochs=10, learning_rate=0.1))
    best, weights = loop.state.history.best_epoch, model.get_weights()
    run(loop, "unfrozen", model, MISLEADING, Unfrozen(epochs=3, learning_rate=0.5))
    assert len(loop.state.history.epochs) == 13
    assert loop.state.history.best_epoch == best
    for left, right in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_second_phase_that_is_better_is_kept(model: Learner, loop: TrainingLoop) -> None:
    run(loop, "frozen", model, LEARNABLE, Frozen(epochs=1, learning_rate=1e-4))
    run(loop, "unfrozen", model, LEARNABLE, Unfrozen(epochs=5, learning_rate=0.5))
    assert loop.state.history.best_epoch is not None
    assert loop.state.history.best_epoch["phase"] == "unfrozen"
    assert eval_loss(model, LEARNABLE) == pytest.approx(loop.state.history.best_loss, rel=1e-4)


def test_no_epochs_change_nothing(model: Learner, loop: TrainingLoop) -> None:
    before = model.get_weights()
    run(loop, "frozen", model, LEARNABLE, Frozen(epochs=0))
    assert loop.state.history.epochs == []
    for left, right in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(left, right)


def test_every_epoch_leaves_a_row(model: Learner, loop: TrainingLoop) -> None:
    run(loop, "frozen", model, LEARNABLE, Frozen(epochs=2, learning_rate=0.25))
    run(loop, "unfrozen", model, LEARNABLE, Unfrozen(epochs=1, learning_rate=1e-4))
    rows = loop.state.history.epochs
    assert [(row["phase"], row["epoch"]) for row in rows] == [
        ("frozen", 1),
        ("frozen", 2),
        ("unfrozen", 1),
    ]
    assert set(rows[0]) == {
        *("phase", "epoch", "loss", "accuracy", "val_loss", "val_accuracy"),
        *("learning_rate", "seconds"),
    }
    # At the epoch's end; phase `frozen` falls by a cosine.
    assert [row["learning_rate"] for row in rows] == pytest.approx([0.125, 0.0, 1e-4])
    assert all(isinstance(row["val_loss"], float) and row["seconds"] > 0 for row in rows)


def test_a_class_of_no_weight_is_not_learnt(model: Learner, loop: TrainingLoop) -> None:
    loop.class_weight = {0: 0.0, 1: 1.0}
    run(loop, "frozen", model, LEARNABLE, Frozen(epochs=20, learning_rate=0.5))
    rare = np.array([[-0.2, 0.0]], np.float32)  # of class 0
    assert model(rare).numpy()[0, 1] > 0.5


def test_smoothed_labels_keep_the_scores_from_certainty(model: Learner, loop: TrainingLoop) -> None:
    loop.label_smoothing = 0.4
    run(loop, "frozen", model, LEARNABLE, Frozen(epochs=60, learning_rate=0.5))
    sure = np.array([[9.0, 0.0]], np.float32)
    assert eval_loss(model, LEARNABLE) > 0.2  # the best for labels of 0.8 and 0.2
    assert model(sure).numpy()[0, 1] > 0.5


def test_tensorboard_finds_the_events_of_each_phase(
    model: Learner, loop: TrainingLoop, tmp_path: Path
) -> None:
    run(loop, "frozen", model, LEARNABLE, Frozen(epochs=1))
    run(loop, "unfrozen", model, LEARNABLE, Unfrozen(epochs=1))
    for name in ("frozen", "unfrozen"):
        assert list((tmp_path / "logs" / name).rglob("events.out.tfevents.*"))


def test_the_phase_ends_when_nothing_got_better_for_so_many_epochs(
    model: Learner, loop: TrainingLoop
) -> None:
    run(loop, "frozen", model, MISLEADING, Frozen(epochs=20, learning_rate=0.1, early_stopping=3))
    assert len(loop.state.history.epochs) == 4


def test_the_rate_falls_on_a_plateau(model: Learner, loop: TrainingLoop) -> None:
    settings = Frozen.model_validate(
        {
            "epochs": 5,
            "learning_rate": 0.1,
            "schedule": {"kind": "plateau", "patience": 2, "factor": 0.5},
        }
    )
    run(loop, "frozen", model, MISLEADING, settings)
    rates = [row["learning_rate"] for row in loop.state.history.epochs]
    assert rates == pytest.approx([0.1, 0.1, 0.1, 0.05, 0.05])


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_averaged_weights_are_what_is_judged_and_kept(
    model: Learner, loop: TrainingLoop, precision: str
) -> None:
    prepared = phases.Prepared(learner=model, data=LEARNABLE, precision=precision)
    settings = Frozen(epochs=6, learning_rate=0.1, ema=0.9)
    loop.run([phases.Phase("frozen", settings, lambda: prepared)])
    best = loop.state.history.best_epoch
    assert best is not None
    assert eval_loss(model, LEARNABLE) == pytest.approx(best["val_loss"], rel=1e-4)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_loss_that_is_no_number_stops_the_training_at_once(
    model: Learner, loop: TrainingLoop, value: float
) -> None:
    def poisoned(first: int, last: int) -> tf.data.Dataset:
        return pictures(1).map(lambda x, y: (x * value, y)).repeat()

    broken = Data(poisoned, 4, LEARNABLE.validation)
    with refused(
        TrainingError,
        found="The loss became .* in batch 1 of epoch 1, phase frozen",
        allowed="the training diverged",
        next="Lower training.frozen.learning_rate, or set .*clip_norm=1",
    ):
        run(loop, "frozen", model, broken, Frozen(epochs=3))


def test_frozen_layers_run_in_inference_mode_and_are_no_part_of_the_learner() -> None:
    inputs = keras.Input((2,))
    bottom = keras.Model(inputs, keras.layers.Dropout(0.9)(inputs))
    outputs = keras.layers.Dense(2, activation="softmax")(inputs)
    learner = Learner(inputs, outputs, bottom)
    assert len(learner.weights) == 2
    seen: list[Any] = []
    learner._augment = lambda x, y: (seen.append(x) or x, y)
    learner.compile("sgd", "categorical_crossentropy", run_eagerly=True)
    learner.fit(np.ones((4, 2)), np.eye(2)[[0, 1, 0, 1]], epochs=1, verbose=0)
    kept = learner._run_bottom(tf.ones((4, 2)))
    np.testing.assert_array_equal(kept, np.ones((4, 2)))
    assert len(seen) == 1


def test_records_that_were_lost_are_told_with_both_numbers_not_by_tensorflow(
    loop: TrainingLoop, model: Learner, tmp_path: Path
) -> None:
    folder = tmp_path / "Split-train"
    folder.mkdir()
    rows = np.random.default_rng(0).normal(size=(COUNT, 2)).astype(np.float32)
    tfrecords.write(str(folder / "rows"), [row.tobytes() for row in rows])

    def batches(examples: tf.data.Dataset, /, *, batch_size: int) -> tf.data.Dataset:
        inputs = examples.map(lambda row: tf.ensure_shape(tf.io.decode_raw(row, tf.float32), [2]))
        return inputs.map(lambda row: (row, tf.one_hot(0, 2))).batch(batch_size)

    of = read_data(
        str(folder), str(folder), batches, 8, 0, 100, counts={"train": COUNT + 1, "eval": COUNT}
    )
    with (
        refused(
            RecordsLost,
            found="^32 instead of 33 records of .*Split-train: 1 were lost",
            allowed="FnApiRunner does not",
            next="mend that and run again.$",
        ),
        unwrapped(),
    ):
        run(loop, "frozen", model, of, Frozen(epochs=1))
