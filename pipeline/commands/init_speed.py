"""How long a run takes on this machine, from one measured forward pass. Imports TensorFlow late."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any

from components.backbones import BACKBONES
from serving.quiet_imports import quiet_import

START_SECONDS = 75.0
"""Of a run beside the network's work: imports, Beam, evaluation, export and the servers' trials.
Of four runs on 80 to 400 made pictures, on two busy cores, whole runs took 107 to 138 s where
`init` had said one to two minutes (2026-11-27)."""
_READING_SECONDS = 0.02  # per picture: ingest, statistics and decoding
_EPOCH = 1.0  # forward passes that one picture costs in an epoch of phase `unfrozen`
_SPANS = 3.0  # forward passes of each picture beside the epochs: features, predictions, report
_BATCH, _REPEATS = 8, 3
_FALLBACK = "mobilenet_v2"
_SMALLEST = 96  # pixels, to which the network's input is made smaller to save time
_STEP = 32


@dataclasses.dataclass(frozen=True)
class Plan:
    """A network and its training."""

    backbone: str
    size: int  # height and width in pixels
    unfrozen_epochs: int
    seconds: float | None  # that a run takes; None where nothing was measured
    per_picture: float | None  # seconds of a forward pass


Measure = Callable[[str, int], float]
"""Returns the seconds of a forward pass per picture, by backbone and size."""


def measured(backbone: str, size: int) -> float:
    """Returns the seconds of a forward pass per picture with random weights, as a run computes."""
    with quiet_import():
        import numpy as np
        import tensorflow as tf

        from components.model import precision
        from components.model.twin import forward
        from components.pretrained.base import build_base

        base = build_base(backbone, [size, size], None)
    run: Any = forward(base, precision.resolve("auto"))
    batch = tf.constant(np.zeros((_BATCH, size, size, 3), np.float32))
    run(batch)  # traces
    began = time.perf_counter()
    for _ in range(_REPEATS):
        found = run(batch)
    found.numpy()
    return (time.perf_counter() - began) / (_BATCH * _REPEATS)


def plan(size: int, pictures: int, budget: float, measure: Measure | None, weights: str) -> Plan:
    """Returns the first plan that fits the budget, from the most accurate one to the fastest.

    Args:
      size: the pixels that the pictures are worth.
      pictures: how many are read.
      budget: seconds.
      measure: None plans without a measurement.
      weights: `any`: every backbone's can be had, else only those of `inception_v3`.
    """
    first = "inception_v3"
    top = min(max(size, _SMALLEST), BACKBONES[first].size)
    if measure is None:
        return Plan(first, top, 10, None, None)
    found = None
    others = (_FALLBACK,) if weights == "any" else ()
    for backbone in (first, *others):
        largest = min(top, BACKBONES[backbone].size)
        unit = measure(backbone, largest) / largest**2
        for side, epochs in _steps(largest, largest // 2 if backbone == first and others else 0):
            seconds = run_seconds(unit * side**2, pictures, epochs)
            found = Plan(backbone, side, epochs, seconds, unit * side**2)
            if seconds <= budget:
                return found
    assert found is not None
    return found  # the fastest there is


def _steps(largest: int, least: int) -> Iterator[tuple[int, int]]:
    """Yields sizes and epochs of phase `unfrozen`, the most accurate ones first."""
    smallest = max(_SMALLEST, least)
    for epochs in (10, 5):
        yield largest, epochs
    side = largest
    while side > smallest:
        side = max(smallest, int(side * 0.75) // _STEP * _STEP)
        yield side, 5
    yield side, 3
    yield side, 0


def run_seconds(forward: float, pictures: int, epochs: int) -> float:
    """Returns the seconds of a whole run.

    Args:
      forward: seconds of a forward pass per picture.
      pictures: how many are read.
      epochs: in which the whole network runs.
    """
    trained = 0.8 * pictures * epochs * _EPOCH
    return START_SECONDS + pictures * _READING_SECONDS + forward * (_SPANS * pictures + trained)


def in_words(seconds: float) -> str:
    """Returns a time as a person says it: `about 6 minutes`."""
    if seconds < 90:
        return "about a minute"
    if seconds < 5400:
        return f"about {round(seconds / 60)} minutes"
    return f"about {seconds / 3600:.1f} hours"
