"""Phase `unfrozen`: its step against plain Keras, what caching gains, and its input.

The step is that of the pipeline, from the ingested files; plain Keras fits the same layers on
arrays in memory. All run in one process and in turns, since a machine's speed changes; of a fit
the fastest epoch after the first counts, since the first one traces the graph.
"""

from __future__ import annotations

import functools
import os
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.figures import show_bound, show_table
from benchmarks.ingested import Inputs, ingested
from serving.quiet_imports import quiet_import

with quiet_import():
    import keras
    import numpy as np
    import tensorflow as tf

from components.artifacts import features
from components.artifacts.examples import PICTURE, parse
from components.artifacts.tfrecords import read_records
from components.fit.optimizers import build_optimizer
from components.model.network import Network, unfreeze
from components.model.transform_graph import Pixels
from components.pretrained.base import first_unfrozen
from components.settings.training import Training
from components.trainer import input as trainer_input
from components.trainer.training_inputs import TrainingInputs
from components.trainer.training_loop import fit

_PICTURES, _SIZE, _EPOCHS, _ROUNDS = 320, 299, 4, 2
_INPUT_EPOCHS, _INPUT_ROUNDS = 4, 25
_ASSIGNMENTS = [
    f"image.size=[{_SIZE}, {_SIZE}]",
    "data.splits={train: 8, eval: 1, test: 1}",
    "training.class_weights=null",
    "training.frozen={epochs: 0}",
    f"training.unfrozen={{epochs: {_EPOCHS}, from_layer: mixed7}}",
]
_STEP, _TIMES_FASTER = 1.05, 1.8


def main() -> None:
    """Measures all three on solar cells."""
    with ingested(_PICTURES, _ASSIGNMENTS) as inputs:
        runs = Path(inputs.config.root)
        sides = [
            lambda: _plain_keras(inputs),
            lambda: _pipeline(inputs, runs, cache_budget_mb=0),
            lambda: _pipeline(inputs, runs, cache_budget_mb=10_000),
        ]
        rounds = [[side() for side in sides] for _ in range(_ROUNDS)]
        plain, pictures_each_epoch, cached = map(min, zip(*rounds, strict=True))
        pictures = _write_pictures(inputs, runs / "same")
        rates = [(_our_input(inputs), _keras_input(inputs, pictures)) for _ in range(_INPUT_ROUNDS)]
    show_table(
        f"phase unfrozen, InceptionV3 from mixed7 at {_SIZE} pixels, {_PICTURES} solar cells",
        ["", "seconds per epoch"],
        [
            ["plain Keras on arrays in memory", f"{plain:.2f}"],
            ["the pipeline, from its files", f"{pictures_each_epoch:.2f}"],
            ["the pipeline, cached at the boundary", f"{cached:.2f}"],
        ],
    )
    step, gain = pictures_each_epoch / plain, pictures_each_epoch / cached
    show_bound(f"a step takes {step:.3f} of plain Keras'; {_STEP} is allowed", step <= _STEP)
    show_bound(
        f"cached {gain:.2f} times faster; {_TIMES_FASTER} are promised", gain >= _TIMES_FASTER
    )
    ours, keras_own = (statistics.median(column) for column in zip(*rates, strict=True))
    ratio = statistics.median(ours / keras_own for ours, keras_own in rates)
    show_bound(
        f"input: {ours:.0f} pictures/s, image_dataset_from_directory {keras_own:.0f}; "
        f"{ratio:.3f} times as many in a round",
        ratio >= 1,
    )


def _folder(inputs: Inputs, split: str) -> str:
    return os.path.join(inputs.examples, f"Split-{split}")


def _network(inputs: Inputs) -> Network:
    network, from_layer = inputs.network(), inputs.config.training.unfrozen.from_layer
    unfreeze(network.base, first_unfrozen(network.base, inputs.config.model.backbone, from_layer))
    return network


def _batches(inputs: Inputs, split: str) -> tf.data.Dataset:
    pixels = Pixels(inputs.transform_graph)
    records = read_records(_folder(inputs, split))
    size = inputs.config.training.batch_size
    return trainer_input.picture_batches(records, pixels, inputs.classes, size)


class _Times(keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        self._began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        self.seconds.append(time.monotonic() - self._began)


def _plain_keras(inputs: Inputs) -> float:
    arrays = {}
    for split in (features.TRAIN, features.EVAL):
        batches = list(_batches(inputs, split).as_numpy_iterator())
        arrays[split] = tuple(np.concatenate(part) for part in zip(*batches, strict=True))
    network = _network(inputs)
    training = inputs.config.training
    network.classifier.compile(
        optimizer=build_optimizer(training.unfrozen, 1),
        loss=keras.losses.CategoricalCrossentropy(),
        metrics=["accuracy"],
        jit_compile=False,
    )
    times = _Times()
    network.classifier.fit(
        *arrays[features.TRAIN],
        validation_data=arrays[features.EVAL],
        batch_size=training.batch_size,
        epochs=_EPOCHS,
        verbose=0,
        callbacks=[times],
    )
    return min(times.seconds[1:])


def _pipeline(inputs: Inputs, runs: Path, cache_budget_mb: int) -> float:
    folder = Path(tempfile.mkdtemp(dir=runs))
    logs, work = folder / "logs", folder / "work"
    logs.mkdir()
    work.mkdir()
    training = Training.model_validate(
        {**inputs.config.training.model_dump(), "cache_budget_mb": cache_budget_mb}
    )
    given = TrainingInputs(
        model=inputs.config.model,
        training=training,
        classes=inputs.classes,
        pixels=Pixels(inputs.transform_graph),
        train=_folder(inputs, features.TRAIN),
        eval=_folder(inputs, features.EVAL),
    )
    history = fit(given, str(logs), str(work)).history
    return min(row["seconds"] for row in history.epochs[1:])


def _our_input(inputs: Inputs) -> float:
    training = inputs.config.training
    to_batches = functools.partial(
        trainer_input.picture_batches,
        pixels=Pixels(inputs.transform_graph),
        classes=inputs.classes,
        batch_size=training.batch_size,
    )
    train, validation = (_folder(inputs, split) for split in (features.TRAIN, features.EVAL))
    data = trainer_input.read_data(
        *(train, validation, to_batches, training.batch_size),
        *(training.seed, training.shuffle_window),
    )
    return _rate(data.epochs(0, _INPUT_EPOCHS))


def _write_pictures(inputs: Inputs, folder: Path) -> Path:
    """Writes what `_our_input` reads as a folder per class."""
    for number, example in enumerate(read_records(_folder(inputs, features.TRAIN))):
        picture = parse(example, *PICTURE)
        file = folder / picture[features.LABEL].numpy().decode() / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture[features.ENCODED].numpy())
    return folder


def _keras_input(inputs: Inputs, pictures: Path) -> float:
    dataset = keras.utils.image_dataset_from_directory(
        pictures,
        label_mode="categorical",
        image_size=(_SIZE, _SIZE),
        batch_size=inputs.config.training.batch_size,
        seed=0,
    )
    return _rate(dataset.repeat(_INPUT_EPOCHS).prefetch(tf.data.AUTOTUNE))


def _rate(dataset: tf.data.Dataset) -> float:
    """Pictures per second, from the second batch on: the first one waits for all to start."""
    batches = iter(dataset)
    next(batches)
    began = time.monotonic()
    count = sum(len(labels) for _, labels in batches)
    return count / (time.monotonic() - began)
