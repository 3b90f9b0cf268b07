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
        extractor = build_extractor(base, model.head, model.features)

        # AutoGraph would rewrite the code of Keras first: several seconds, and for nothing.
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
        def run(pictures: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
            parsed = examples.parse(pictures, features.ENCODED, features.FILENAME, *examples.TARGET)
            scaled = pixels(parsed.pop(features.ENCODED))
            return extractor(scaled, training=False), parsed

        return run

    def process(self, element: list[bytes]) -> Iterable[bytes]:
        with undecodable.named(lambda: element):
            bottlenecks, known = self._run(tf.constant(element))
        self._done += len(element)
        progress.report("pictures through the frozen base", self._done)
        columns = [known[name].numpy() for name in (features.FILENAME, *examples.TARGET)]
        for bottleneck, *values in zip(bottlenecks.numpy(), *columns, strict=True):
            yield _example(bottleneck, *values)


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
