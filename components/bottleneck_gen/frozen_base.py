"""The Beam step that runs the frozen base over pictures, and the format of its outputs."""

from __future__ import annotations

import dataclasses
import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import apache_beam as beam
import numpy as np
import tensorflow as tf
from apache_beam.utils import shared

from components.artifacts import examples, features, record_counts, tfrecords, undecodable
from components.bottleneck_gen.portions import Portion
from components.files import parcel, worker_files
from components.model.network import build_extractor, freeze
from components.model.transform_graph import Pixels
from components.model.twin import FLOAT32, forward
from components.pretrained.base import build_base
from components.settings.model import Model
from components.step import progress

GRAPH = "transform_graph"
"""The Transform graph's name in a parcel; the weights keep their file's."""

T = TypeVar("T")
R = TypeVar("R")


@dataclasses.dataclass(frozen=True)
class _Loaded:
    """The two functions that the batches of one process pass."""

    decode: Callable[[tf.Tensor], Any]
    """Serialized picture Examples [batch] -> scaled pixels, labels."""
    extract: Callable[[tf.Tensor], Any]
    """Scaled pixels -> [batch, *features] float32."""


class RunBase(beam.DoFn):
    """Writes the bottleneck Examples of a `Portion` of a split into the portion's file.

    The network is loaded once per worker process, for all splits that use the same object.
    """

    def __init__(
        self,
        transform_graph: str,
        model: Model,
        size: list[int],
        weights: str,
        precision: str = FLOAT32,
        unfinished: str = "",
        in_parcel: str = "",
    ):
        """Names what the network is made of.

        Args:
          transform_graph: the TransformGraph artifact's path.
          model: of its head, the pooling counts.
          size: height and width in pixels.
          weights: path of the base's weights.
          precision: in what the base's layers compute.
          unfinished: folder of files that are not whole yet, on the file system of the targets;
            beside these if left out. A killed worker leaves its own there.
          in_parcel: a parcel with graph and weights, for workers that can't read the two paths.
        """
        self._arguments = (transform_graph, model, size, weights, precision)
        self._unfinished = unfinished
        self._parcel = in_parcel
        self._shared = shared.Shared()
        self._done = 0

    def setup(self) -> None:
        self._loaded = self._shared.acquire(self._load)

    def _load(self) -> _Loaded:
        transform_graph, model, size, weights, precision = self._arguments
        if self._parcel:
            here = parcel.unpacked(self._parcel)
            transform_graph = os.path.join(here, GRAPH)
            weights = os.path.join(here, os.path.basename(weights))
        pixels = Pixels(transform_graph)
        base = build_base(model.backbone, size, Path(weights))
        extractor = build_extractor(base, model.head, model.features)
        freeze(base)
        extract = forward(extractor, precision)

        # AutoGraph would rewrite the code of Keras first: several seconds, and for nothing.
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
        def decode(pictures: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
            parsed = examples.parse(pictures, features.ENCODED, features.FILENAME, *examples.TARGET)
            return pixels(parsed.pop(features.ENCODED)), parsed

        return _Loaded(decode, extract)

    def process(self, element: Portion) -> None:
        # Under a name of its own: a portion that is retried leaves nothing behind.
        folder = self._unfinished or os.path.dirname(element.target)
        aside = os.path.join(folder, uuid.uuid4().hex)
        with worker_files.create(aside) as file:
            written = 0
            for row in self.rows(element.batches()):
                file.write(tfrecords.framed(row))
                written += 1
        what = f"features for the pictures of a portion of {element.file}"
        record_counts.check(what, written, element.records)
        worker_files.move(aside, element.target)

    def rows(self, batches: Iterable[list[bytes]]) -> Iterator[bytes]:
        """Yields the serialized bottleneck Examples of batches of serialized picture Examples.

        While the network runs over a batch, the next one is read and decoded.
        """
        for pixels, known in _ahead(self._decoded, batches):
            bottlenecks = self._loaded.extract(pixels).numpy()
            self._done += len(bottlenecks)
            progress.report("pictures through the frozen base", self._done)
            columns = [known[name].numpy() for name in (features.FILENAME, *examples.TARGET)]
            for bottleneck, *values in zip(bottlenecks, *columns, strict=True):
                yield _example(bottleneck, *values)

    def _decoded(self, batch: list[bytes]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        with undecodable.named(lambda: batch):
            return self._loaded.decode(tf.constant(batch))


def let_go() -> None:
    """Lets the network of this process be freed: Beam keeps alive what was shared last."""
    shared.Shared().acquire(_Nothing)


class _Nothing:
    """Is shared in place of a network."""


def _ahead(function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Yields the result of each item, computed in a thread while the one before is worked on."""
    left = iter(items)

    def following() -> tuple[R] | None:
        item = next(left, None)
        return None if item is None else (function(item),)

    with ThreadPoolExecutor(1) as pool:
        waited_for = pool.submit(following)
        while found := waited_for.result():
            waited_for = pool.submit(following)
            yield found[0]


def _example(
    bottleneck: np.ndarray, file: bytes, label: bytes, probability: float, weight: float
) -> bytes:
    values: dict[str, examples.Value] = {
        features.BOTTLENECK: bottleneck.ravel().tolist(),
        features.LABEL: label,
        features.FILENAME: file,
    }
    further = {features.LABEL_PROBABILITY: probability, features.WEIGHT: weight}
    values |= {name: float(value) for name, value in further.items() if value != 1}
    return examples.serialized(values)
