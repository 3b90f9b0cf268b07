"""The outputs of frozen layers, computed once before a phase, as far as there is room for them."""

from __future__ import annotations

import dataclasses
import itertools
import math
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from components.artifacts import record_counts
from components.artifacts.features import EVAL, TRAIN
from components.artifacts.tfrecords import read_records
from components.fit.training_data import Data, Kept, kept_data, kept_in_file
from components.model.network import Network
from components.model.twin import forward
from components.step import progress
from components.trainer import activations, part_cache, phase_data
from components.trainer.distribution import all_agree
from components.trainer.training_inputs import TrainingInputs

_AT_ONCE = 256  # rows

Flips = Sequence[Sequence[int]]
"""The axes to flip for each variant of a picture, from `Augmentation.flips`."""


@dataclasses.dataclass(frozen=True)
class Cached:
    """Batches of the outputs of frozen layers."""

    data: Data
    is_part: bool
    """Whether pixels stand beside them, of pictures for which there was no room."""


def flipped_bottlenecks(inputs: TrainingInputs, network: Network, scratch: str) -> Data | None:
    """Returns pooled features of the training pictures and of their flips, of which epochs draw.

    BottleneckGen cached the pictures' own; the extractor runs here over their flips alone.

    Args:
      inputs: of the training.
      network: whose extractor and head these are.
      scratch: folder of the files.

    Returns:
      None as of `cached_activations`.
    """
    _, *flips = inputs.training.augmentation_of("frozen").flips() or [[]]
    folder, count = Path(scratch, "flips"), inputs.count(TRAIN)
    shape, rows = network.head.input_shape[1:], count * (1 + len(flips))
    read = 4 * math.prod(shape) * (rows + inputs.count(EVAL))  # bytes of what epochs read
    allowed = _Allowed.of(inputs, network.extractor, folder, count * len(flips), read)
    kept = _kept(inputs, network.extractor, {TRAIN: flips}, {TRAIN: count}, allowed, "frozen")
    if kept is None:
        return None
    own = phase_data.train_bottlenecks(inputs, network.head, soft=True).as_numpy_iterator()
    both = itertools.chain(own, _some_rows(kept[TRAIN]))
    train = kept_in_file(folder / "train-all.npy", (rows, *shape), both)
    judged = kept_in_file(
        folder / "eval.npy",
        (inputs.count(EVAL), *shape),
        phase_data.eval_bottlenecks(inputs, network.head).as_numpy_iterator(),
    )
    for split, found, needed in ((TRAIN, train, rows), (EVAL, judged, inputs.count(EVAL))):
        what = f"features for the pictures of the split {split}, with their flips"
        record_counts.check(what, len(found.labels), needed)
    training = inputs.training
    return kept_data(train, judged, training.batch_size, training.seed, 1 + len(flips))


def _some_rows(kept: Kept) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    [array] = kept.arrays
    for start in range(0, len(array), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        yield array[rows], kept.labels[rows]


def cached_activations(
    inputs: TrainingInputs, bottom: keras.Model, scratch: str, work: str
) -> Cached | None:
    """Runs the frozen layers once over both splits and returns batches of their outputs, on disk.

    Where there is no room for all, one device caches a part; several cache nothing.

    Args:
      inputs: of the training.
      bottom: the frozen layers, scaled pixels -> the tensors at the boundary.
      scratch: folder of the files.
      work: this training's own folder, which outlives a killed process.

    Returns:
      None where caching saves nothing (one epoch, no frozen weights) or is impossible: with random
      changes other than flips, without room for any picture, or beyond the range of half precision.
    """
    training = inputs.training
    flips = training.augmentation_of("unfrozen").flips()
    if flips is None or training.unfrozen.epochs < 2 or not bottom.weights:
        return None
    variants = {TRAIN: flips, EVAL: flips[:1]}
    counts = {split: inputs.count(split) for split in variants}
    rows = sum(counts[name] * len(flips) for name, flips in variants.items())
    allowed = _Allowed.of(inputs, bottom, Path(scratch, "activations"), rows)
    some = counts
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        size = activations.size_of(bottom, 1)
        fits = part_cache.fitting(counts, len(flips), size, allowed.room)
        some = part_cache.decided(fits, work) if fits[TRAIN] else counts
    kept = _kept(inputs, bottom, variants, some, allowed, "unfrozen")
    if kept is None:
        return None
    if some == counts:
        train, judged = kept[TRAIN], kept[EVAL]
        whole = kept_data(train, judged, training.batch_size, training.seed, len(flips))
        return Cached(whole, is_part=False)
    progress.note(
        f"caches the frozen layers' outputs of {some[TRAIN]:,} of {counts[TRAIN]:,} training and "
        f"{some[EVAL]:,} of {counts[EVAL]:,} eval pictures; the others pass these layers in each "
        f"epoch of phase unfrozen: {allowed}"
    )
    return Cached(part_cache.data(inputs, kept, flips), is_part=True)


@dataclasses.dataclass(frozen=True)
class _Allowed:
    """The disk that outputs of frozen layers take, and may take."""

    folder: Path
    """Of their files, empty."""
    needed: int
    """In bytes, for all pictures."""
    room: int
    beside: int = 0
    """Of `needed`, what other files than the outputs' own take."""

    @classmethod
    def of(
        cls, inputs: TrainingInputs, layers: keras.Model, folder: Path, rows: int, beside: int = 0
    ) -> _Allowed:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        room = activations.room(inputs.training.cache_budget_mb, folder)
        return cls(folder, activations.size_of(layers, rows) + beside, room, beside)

    def __str__(self) -> str:
        return (
            f"all outputs take {self.needed / 1e6:,.0f} MB, and {self.room / 1e6:,.0f} are allowed "
            "(training.cache_budget_mb, and half of the free disk of runtime.root)"
        )


def _kept(
    inputs: TrainingInputs,
    layers: keras.Model,
    variants: Mapping[str, Flips],
    counts: Mapping[str, int],
    allowed: _Allowed,
    phase: str,
) -> dict[str, Kept] | None:
    """Runs layers over the first pictures of splits; None without the room or the range."""
    rows = sum(counts[name] * len(flips) for name, flips in variants.items())
    if not all_agree(activations.size_of(layers, rows) + allowed.beside <= allowed.room):
        progress.note(f"runs the frozen layers anew in each epoch of phase {phase}: {allowed}")
        return None
    kept, run = {}, forward(layers, inputs.precision)
    for name, flips in variants.items():
        pictures = read_records(inputs.train if name == TRAIN else inputs.eval).take(counts[name])
        batches = phase_data.pixel_batches(pictures, inputs, soft=name == TRAIN)
        found = activations.keep(layers, run, batches, counts[name], allowed.folder, name, flips)
        if found is None:
            return None
        kept[name] = found
    return kept
