"""The Beam step that runs the frozen base over pictures, and the format of its outputs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import apache_beam as beam
import numpy as np
import tensorflow as tf
from apache_beam.utils import shared

from components.artifacts import examples, features, undecodable
from components.model.network import build_extractor
from components.model.transform_graph import Pixels
from components.pretrained.base import build_base
from components.settings.model import Model
from components.step import progress


class RunBase(beam.DoFn):
    """Turns a batch of serialized picture Examples into serialized bottleneck Examples.

    The network is loaded once per worker process, for all splits that use the same object.
    """

    def __init__(self, transform_graph: str, model: Model, size: list[int], weights: str):
        self._arguments = (transform_graph, model, size, weights)
        self._shared = shared.Shared()
        self._done = 0

    def setup(self) -> None:
        self._run = self._shared.acquire(self._load)

    def _load(self) -> tf.types.experimental.GenericFunction:
        transform_graph, model, size, weights = self._arguments
        pixels = Pixels(transform_graph)
        base = build_base(model.backbone, size, Path(weights))
        extractor = build_extractor(base, model.head)

        # AutoGraph would rewrite the code of Keras first: several seconds, and for nothing.
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
        def run(pictures: tf.Tensor) -> tuple[tf.Tensor, ...]:
            parsed = examples.parse(pictures, *examples.PICTURE, features.FILENAME)
            scaled = pixels(parsed[features.ENCODED])
            known = parsed[features.LABEL], parsed[features.FILENAME]
            return extractor(scaled, training=False), *known

        return run

    def process(self, element: list[bytes]) -> Iterable[bytes]:
        with undecodable.named(lambda: element):
            computed = self._run(tf.constant(element))
        self._done += len(element)
        progress.report("pictures through the frozen base", self._done)
        for row in zip(*(column.numpy() for column in computed), strict=True):
            yield _example(*row)


def _example(bottleneck: np.ndarray, label: bytes, file: bytes) -> bytes:
    values = {
        features.BOTTLENECK: bottleneck.ravel().tolist(),
        features.LABEL: label,
        features.FILENAME: file,
    }
    return examples.serialized(values)
