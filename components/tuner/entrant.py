"""A backbone's entry in a tournament: a head on its cached features, its time and its size."""

from __future__ import annotations

import dataclasses
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import keras
import tensorflow as tf

from components.artifacts.rate_interval import wilson
from components.errors import TrainingError
from components.model.network import build_extractor
from components.pretrained.base import build_base
from components.settings.model import Model
from components.settings.training import Training
from components.tuner.bottlenecks import read_bottlenecks
from components.tuner.trial import Diverged, run_trial

_TIMED = 15  # forward passes, of which the median counts
_BYTES = 4  # of a weight


@dataclasses.dataclass(frozen=True)
class Entrant:
    """The result of a backbone, on the `eval` split."""

    accuracy: float
    """Of the epoch that `training.keep`'s default would keep: with the smallest loss."""
    interval: tuple[float, float]
    """Of the accuracy, 95 %."""
    pictures: int
    milliseconds: float
    """Of one picture through the base, by itself, on this machine."""
    megabytes: float
    """Of the base's weights on a disk."""


def enter(
    bottlenecks: str, classes: Sequence[str], model: Model, size: list[int], training: Training
) -> Entrant:
    """Fits the configured head as phase `frozen` does, and times the base.

    Args:
      bottlenecks: folder of the Bottlenecks artifact.
      classes: the class list.
      model: the network; its weights do not count here.
      size: height and width in pixels.
      training: of it phase `frozen` and what both phases share.

    Raises:
      TrainingError: a loss became NaN or infinite.
    """
    base = build_base(model.backbone, size, None)
    extractor = build_extractor(base, model.head, model.features)
    milliseconds, weights = _milliseconds(extractor, size), extractor.count_params()
    with tempfile.TemporaryDirectory() as folder:
        shape = extractor.output_shape[1:]
        data = read_bottlenecks(bottlenecks, shape, classes, training, Path(folder))
        epochs = training.frozen.epochs
        try:
            found = run_trial(data, model.head, training.frozen, training, epochs, lambda _: None)
        except Diverged as error:
            raise TrainingError(
                "The loss of the head became NaN or infinite. Lower training.frozen.learning_rate."
            ) from error
        pictures = len(data.validation.labels)
    right = round(found["val_accuracy"] * pictures)
    return Entrant(
        accuracy=right / pictures,
        interval=wilson(right, pictures),
        pictures=pictures,
        milliseconds=milliseconds,
        megabytes=_BYTES * weights / 1e6,
    )


def _milliseconds(extractor: keras.Model, size: list[int]) -> float:
    run = tf.function(lambda pixels: extractor(pixels, training=False), autograph=False)
    picture = tf.zeros([1, *size, 3])
    times = []
    for _ in range(_TIMED + 1):
        began = time.perf_counter()
        tf.nest.map_structure(lambda tensor: tensor.numpy(), run(picture))
        times.append(time.perf_counter() - began)
    return 1000 * statistics.median(times[1:])  # the first one is traced
