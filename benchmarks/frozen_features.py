"""Phase `frozen` on cached features against plain Keras that trains the same head end to end.

Both read the same ingested pictures through the same Transform graph, in the same order, and start
from the same head. The cached side is the project's own: BottleneckGen as the pipeline runs it
(Beam, network, files) and the Trainer's input and phase. The plain side is what Keras' guide to
transfer learning does, with decoded pictures cached in memory and prefetched.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import time
from collections.abc import Callable

from benchmarks.figures import show_bound, show_table
from benchmarks.ingested import Inputs, Unwatched, ingested
from serving.quiet_imports import quiet_import

with quiet_import():
    import keras
    import tensorflow as tf

    from pipeline import local_runner

from components.artifacts import features
from components.artifacts.tfrecords import read_records
from components.fit.training_data import bottleneck_batches
from components.model.network import Network, freeze
from components.model.transform_graph import Pixels
from components.trainer import input as trainer_input
from components.trainer.learner import make_learner
from components.trainer.phases import Phase, Prepared
from components.trainer.training_loop import TrainingLoop
from components.trainer.training_state import TrainingState
from pipeline.config import Config
from pipeline.store import outputs, root

_PICTURES = 400
_ASSIGNMENTS = [
    "image.size=[299, 299]",  # the backbone's own size, and the default
    "data.splits={train: 5, eval: 4, test: 1}",  # eval is large: accuracies are measured on it
    "training.frozen={epochs: 10, learning_rate: 0.001}",
]
_TIMES_FASTER = 6
_POINTS = 1.0


@dataclasses.dataclass(frozen=True)
class Cost:
    """The cost and the accuracy of one side."""

    seconds: float
    cpu_seconds: float  # of this process: unlike the former, blind to what else the machine does
    accuracy: float  # on `eval`, of the epoch with the smallest loss there


def main() -> None:
    """Measures both sides, one after the other, on solar cells."""
    with ingested(_PICTURES, _ASSIGNMENTS) as inputs:
        cached = _measure(cached_features, inputs)
        plain = _measure(plain_keras, inputs)
    _show(inputs.config, plain, cached)


def _measure(side: Callable[[Inputs], float], inputs: Inputs) -> Cost:
    wall, cpu = time.monotonic(), time.process_time()
    accuracy = side(inputs)
    return Cost(time.monotonic() - wall, time.process_time() - cpu, accuracy)


def cached_features(inputs: Inputs) -> float:
    """Runs the base once per picture, fits the head on its outputs and returns the accuracy."""
    node = "BottleneckGen"
    run = local_runner.run(inputs.config, Unwatched(), root.new_run_id(), node, node)
    network, training = _network(inputs), inputs.config.training
    train, validation = (
        os.path.join(run.outputs[outputs.BOTTLENECKS].uri, f"Split-{split}")
        for split in (features.TRAIN, features.EVAL)
    )
    to_batches = functools.partial(
        bottleneck_batches,
        shape=network.head.input_shape[1:],
        classes=inputs.classes,
        batch_size=training.batch_size,
    )
    data = trainer_input.read_data(
        *(train, validation, to_batches, training.batch_size),
        *(training.seed, training.shuffle_window),
    )
    folder = str(inputs.config.root)
    loop = TrainingLoop(
        state=TrainingState(), work=f"{folder}/work", logs=f"{folder}/events", seed=training.seed
    )
    prepared = Prepared(learner=make_learner([network.head], None, None), data=data)
    loop.run([Phase("frozen", training.frozen, lambda: prepared)])
    best = loop.state.history.best_epoch
    assert best is not None
    return best["val_accuracy"]


def plain_keras(inputs: Inputs) -> float:
    """Fits the head behind the frozen base, picture by picture; returns the accuracy."""
    classifier = _network(inputs).classifier
    frozen = inputs.config.training.frozen
    classifier.compile(
        optimizer=keras.optimizers.Adam(frozen.learning_rate),
        loss=keras.losses.CategoricalCrossentropy(),
        metrics=["accuracy"],
    )
    history = classifier.fit(
        _pixel_batches(inputs, features.TRAIN, inputs.config.training.seed),
        validation_data=_pixel_batches(inputs, features.EVAL, None),
        epochs=frozen.epochs,
        verbose=0,
    ).history
    best = history["val_loss"].index(min(history["val_loss"]))
    return history["val_accuracy"][best]


def _network(inputs: Inputs) -> Network:
    """Builds the frozen base with the head that both sides start from."""
    network = inputs.network()
    freeze(network.base)
    return network


def _pixel_batches(inputs: Inputs, split: str, seed: int | None) -> tf.data.Dataset:
    records = read_records(os.path.join(inputs.examples, f"Split-{split}"))
    pixels, size = Pixels(inputs.transform_graph), inputs.config.training.batch_size
    batches = trainer_input.picture_batches(records, pixels, inputs.classes, size)
    decoded = batches.unbatch().cache()
    if seed is not None:
        decoded = decoded.shuffle(_PICTURES, seed=seed)
    return decoded.batch(size).prefetch(tf.data.AUTOTUNE)


def _show(config: Config, plain: Cost, cached: Cost) -> None:
    rows = [
        [name, f"{cost.seconds:.1f}", f"{cost.cpu_seconds:.1f}", f"{cost.accuracy:.4f}"]
        for name, cost in {"plain Keras": plain, "cached features": cached}.items()
    ]
    times, cpu_times = (
        plain.seconds / cached.seconds,
        plain.cpu_seconds / cached.cpu_seconds,
    )
    height, width = config.image_size
    title = (
        f"{config.training.frozen.epochs} epochs, {_PICTURES} solar cells, "
        f"{config.model.backbone} at {height} x {width} pixels"
    )
    ratio = ["ratio", f"{times:.1f}", f"{cpu_times:.1f}", ""]
    show_table(title, ["", "seconds", "CPU seconds", "accuracy on eval"], [*rows, ratio])
    show_bound(
        f"{times:.1f} times faster (CPU time: {cpu_times:.1f}); {_TIMES_FASTER} are promised",
        times >= _TIMES_FASTER,
    )
    points = 100 * abs(plain.accuracy - cached.accuracy)
    show_bound(
        f"accuracies {points:.2f} points apart; {_POINTS:g} is allowed",
        points <= _POINTS + 1e-9,
    )
