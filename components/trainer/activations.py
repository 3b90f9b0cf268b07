"""Caches the outputs of the frozen layers on disk: a phase need not run them again."""

from __future__ import annotations

import itertools
import math
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from components.artifacts import record_counts
from components.fit.training_data import Kept
from components.step import progress

_FREE = 0.5  # part of the free disk that may be taken


def size_of(bottom: keras.Model, pictures: int) -> int:
    """Returns the bytes that so many pictures' activations take."""
    return 2 * pictures * sum(math.prod(tensor.shape[1:]) for tensor in bottom.outputs)


def room(budget_mb: int | None, folder: Path) -> int:
    """Returns the bytes that they may take: half of the free disk, and no more than a budget."""
    free = round(_FREE * shutil.disk_usage(folder).free)
    return free if budget_mb is None else min(budget_mb * 1_000_000, free)


def keep(
    bottom: keras.Model,
    run: Callable[[tf.Tensor], Any],
    batches: tf.data.Dataset,
    pictures: int,
    folder: Path,
    name: str,
    variants: Sequence[Sequence[int]] = ((),),
) -> Kept | None:
    """Runs the frozen layers once over a split, or over each variant of it.

    Args:
      bottom: scaled pixels -> the tensors at the boundary.
      run: the same as a fast function, which is traced once for all splits.
      batches: of the split's pixels and labels, in the order of the records.
      pictures: their number.
      folder: where the files go.
      name: of the split.
      variants: the axes to flip for each, from `Augmentation.flips`.

    Returns:
      A row per picture of the first variant, then of the next one; None where half precision is
      too coarse for the layers' outputs (over 65,504).

    Raises:
      RecordsLost: there are fewer pictures.
    """
    rows = len(variants) * pictures
    arrays = [
        np.lib.format.open_memmap(
            folder / f"{name}-{number}.npy", "w+", np.float16, (rows, *tensor.shape[1:])
        )
        for number, tensor in enumerate(bottom.outputs)
    ]
    labels: list[np.ndarray] = []
    done = 0
    for axes, (pixels, some_labels) in itertools.product(variants, batches):
        outputs = run(tf.reverse(pixels, tf.constant(axes, tf.int32)))
        place = slice(done, done + len(pixels))
        for array, tensor in zip(arrays, _listed(outputs), strict=True):
            with np.errstate(over="ignore"):
                array[place] = tensor.numpy()
            if not np.isfinite(array[place]).all():
                return None
        labels.append(some_labels.numpy())
        done = place.stop
        progress.report(f"pictures of {name} to the boundary", done, rows)
    record_counts.check(f"pictures of {name}, with each of their flips", done, rows)
    return Kept(arrays, np.concatenate(labels))


def _listed(tensors: tf.Tensor | list[tf.Tensor]) -> list[tf.Tensor]:
    return list(tensors) if isinstance(tensors, list | tuple) else [tensors]
