"""A backbone as it was published: what ImageNet's 1,000 classes a picture shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from components.backbones import BACKBONES
from components.errors import ConfigError
from components.picture_ops import decode, fit
from components.pretrained.official_weights import (
    WeightsUnavailable,
    backbone_of_applications,
    imagenet_file,
)
from serving.client import PictureRefused, Prediction
from serving.pictures import PictureError, canonical

_BEST = 10  # classes of a prediction


class ImageNet:
    """An ImageNet classifier in this process, asked as a server's client is."""

    def __init__(self, backbone: str):
        """Loads the network with its top; Keras downloads the weights the first time.

        Raises:
          ConfigError: there is no such backbone.
          WeightsUnavailable: its weights can't be had.
        """
        if backbone not in BACKBONES:
            raise ConfigError(
                f"--imagenet {backbone}: allowed are {', '.join(BACKBONES)}. Name one of them."
            )
        self._backbone = backbone_of_applications(backbone)
        weights = imagenet_file(backbone, top=True)
        self._model = self._backbone.constructor(include_top=True, weights=None)
        self._model.load_weights(weights)

    def classify_each(self, images: Iterable[Path]) -> Iterator[Prediction | PictureRefused]:
        """Yields the best classes of each picture, or the reason why it was refused."""
        for image in images:
            try:
                yield self._classify(canonical(image.read_bytes()).encoded)
            except (PictureError, OSError) as error:
                yield PictureRefused(str(image), str(error))

    def _classify(self, encoded: bytes) -> Prediction:
        size = self._backbone.size
        pixels = self._backbone.scale(fit(decode(encoded), size, size, "stretch")[tf.newaxis])
        scores = self._model(pixels, training=False).numpy()
        found = self._named(scores)
        return Prediction(
            tuple(name for _, name, _ in found), tuple(float(score) for *_, score in found)
        )

    def _named(self, scores: np.ndarray) -> list[tuple[str, str, float]]:
        try:
            (found,) = self._backbone.decode_predictions(scores, top=_BEST)
        except Exception as error:  # whatever Keras' download raises
            raise WeightsUnavailable(
                f"The names of ImageNet's classes can't be downloaded ({error})."
            ) from error
        return found
