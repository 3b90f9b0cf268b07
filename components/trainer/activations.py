"""What the frozen layers give, kept on disk, so that phase `unfrozen` need not run them again."""

from __future__ import annotations

import dataclasses
import itertools
import math
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from components import progress
from components.seeds import shuffled
from components.settings.augmentation import Augmentation
from components.trainer.input import Data

_FREE = 0.5  # part of the free disk that may be taken


@dataclasses.dataclass(frozen=True)
class Kept:
    """One split's activations: an array [pictures, ...] float16 per tensor, and its labels."""

    arrays: list[np.ndarray]
    labels: np.ndarray

    def batches(self, order: tf.Tensor, batch_size: int) -> tf.data.Dataset:
        """Gives (activations float32, labels one-hot) of the pictures with these numbers."""

        def read(numbers: tf.Tensor) -> tuple[tuple[tf.Tensor, ...], tf.Tensor]:
            kinds = [*(array.dtype for array in self.arrays), tf.float32]
            *found, labels = tf.numpy_function(self._rows, [numbers], kinds, stateful=False)
            shaped = [
                tf.cast(tf.ensure_shape(tensor, [None, *array.shape[1:]]), tf.float32)
                for tensor, array in zip(found, self.arrays, strict=True)
            ]
            labels = tf.ensure_shape(labels, [None, self.labels.shape[1]])
            return (tuple(shaped) if len(shaped) > 1 else shaped[0]), labels

        numbers = tf.data.Dataset.from_tensor_slices(order).batch(batch_size)
        return numbers.map(read, num_parallel_calls=os.cpu_count())

    def _rows(self, numbers: np.ndarray) -> list[np.ndarray]:
        return [*(array[numbers] for array in self.arrays), self.labels[numbers]]


def flips(augmentation: Augmentation) -> list[list[int]] | None:
    """Gives the axes of [batch, height, width, channels] to flip for each variant of a picture.

    The first variant is the picture itself. None where more than flips changes the pictures: then
    no number of variants would do.
    """
    axes = {1: augmentation.vertical_flip, 2: augmentation.horizontal_flip}
    others = augmentation.model_copy(update={"vertical_flip": False, "horizontal_flip": False})
    if others.active:
        return None
    chosen = [axis for axis, is_flipped in axes.items() if is_flipped]
    lengths = range(len(chosen) + 1)
    return [list(some) for n in lengths for some in itertools.combinations(chosen, n)]


def fit_on_disk(bottom: keras.Model, pictures: int, budget: int, folder: Path) -> bool:
    """Whether the activations of so many pictures fit a budget in bytes and the free disk."""
    size = 2 * pictures * sum(math.prod(tensor.shape[1:]) for tensor in bottom.outputs)
    return size <= min(budget, _FREE * shutil.disk_usage(folder).free)


def keep(
    bottom: keras.Model,
    batches: tf.data.Dataset,
    pictures: int,
    folder: Path,
    name: str,
    variants: Sequence[Sequence[int]] = ((),),
) -> Kept | None:
    """Runs the frozen layers once over a split, or over each variant of it.

    Args:
      bottom: scaled pixels -> the tensors at the boundary.
      batches: of the split's pixels and labels, in the order of the records.
      pictures: their number.
      folder: where the files go.
      name: of the split.
      variants: the axes to flip for each, as `flips` gives them.

    Returns:
      A row per picture of the first variant, then of the next one; None where half precision is
      too coarse for what the layers give (over 65,504).
    """
    rows = len(variants) * pictures
    arrays = [
        np.lib.format.open_memmap(
            folder / f"{name}-{number}.npy", "w+", np.float16, (rows, *tensor.shape[1:])
        )
        for number, tensor in enumerate(bottom.outputs)
    ]
    run = tf.function(lambda pixels: bottom(pixels, training=False), autograph=False)
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
    return Kept(arrays, np.concatenate(labels))


def kept_data(train: Kept, validation: Kept, batch_size: int, seed: int, variants: int = 1) -> Data:
    """Gives what phase `unfrozen` reads, in the orders in which it would read the pictures.

    Args:
      train: as many rows per variant; each epoch draws one of a picture's variants.
      validation: what judges.
      batch_size: pictures per batch.
      seed: of the orders and the draws.
      variants: of each training picture.
    """
    pictures = len(train.labels) // variants

    def rows(epoch: tf.Tensor) -> tf.Tensor:
        numbers = shuffled(np.arange(pictures), seed, epoch)
        key = tf.stack([tf.cast(seed, tf.int64), epoch])
        drawn = tf.random.stateless_uniform([pictures], key, 0, variants, tf.int64)
        return numbers + pictures * drawn

    return Data(
        lambda first, last: (
            tf.data.Dataset.range(first, last)
            .flat_map(lambda epoch: train.batches(rows(epoch), batch_size))
            .prefetch(tf.data.AUTOTUNE)
        ),
        math.ceil(pictures / batch_size),
        validation.batches(tf.range(len(validation.labels)), batch_size).prefetch(tf.data.AUTOTUNE),
    )


def _listed(tensors: tf.Tensor | list[tf.Tensor]) -> list[tf.Tensor]:
    return list(tensors) if isinstance(tensors, list | tuple) else [tensors]
