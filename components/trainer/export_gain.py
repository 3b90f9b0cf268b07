"""Measures the served network against its plain form: agreement, bytes and throughput."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from components.model.transform_graph import Pixels
from components.trainer.served_network import Scores, ServedNetwork

PICTURES = 200
"""Of the `eval` split, at most, which both forms predict."""
_BATCHES = (1, 32)
_AT_ONCE = 32  # pictures in one pass
_SECONDS = 1.0  # of each measurement, and at least two passes
_MOST_PASSES = 20


def measured(
    form: ServedNetwork,
    reference: ServedNetwork,
    plain: ServedNetwork,
    pixels: Pixels,
    pictures: Sequence[bytes],
) -> dict[str, Any]:
    """Returns how the form that is served compares with others.

    Args:
      form: the network as it is served.
      reference: the same in float32, with which it must agree.
      plain: the network in float32 without flips, against which its speed is told.
      pixels: the Transform graph.
      pictures: encoded, at least one.

    Returns:
      `pictures`; `agreement`, part of them with the reference's best class, and
      `max_score_difference` from it; `rows` for `float32` and `served`: `bytes` of the weights, and
      by batch size `pictures_per_second` and `milliseconds` of a batch, both without decoding, on
      the machine that trained.
    """
    parts = [pictures[at : at + _AT_ONCE] for at in range(0, len(pictures), _AT_ONCE)]
    ready = [pixels(tf.constant(part)) for part in parts]
    found = np.concatenate([form.scores(part) for part in ready])
    expected = np.concatenate([reference.scores(part) for part in ready])
    batches = {size: tf.repeat(ready[0][:1], size, axis=0) for size in _BATCHES}
    return {
        "pictures": len(pictures),
        "agreement": float((found.argmax(axis=1) == expected.argmax(axis=1)).mean()),
        "max_score_difference": float(np.abs(found - expected).max()),
        "rows": [
            {"form": name, "bytes": each.weight_bytes, "batches": _speed(each.scores, batches)}
            for name, each in (("float32", plain), ("served", form))
        ],
    }


def _speed(scores: Scores, batches: dict[int, tf.Tensor]) -> list[dict[str, float]]:
    rows = []
    for size, batch in batches.items():
        seconds = _median_seconds(scores, batch)
        row = {"size": size, "milliseconds": 1000 * seconds, "pictures_per_second": size / seconds}
        rows.append(row)
    return rows


def _median_seconds(scores: Scores, batch: tf.Tensor) -> float:
    scores(batch)  # the first one prepares the kernels
    times: list[float] = []
    while len(times) < 2 or (sum(times) < _SECONDS and len(times) < _MOST_PASSES):
        start = time.perf_counter()
        np.asarray(scores(batch))
        times.append(time.perf_counter() - start)
    return statistics.median(times)
