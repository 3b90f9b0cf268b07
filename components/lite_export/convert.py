"""The classifier as a file for LiteRT, which was called TensorFlow Lite."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from components.backbones import BACKBONES
from components.settings.export import Kind

INPUT, OUTPUT = "image", "scores"


class Device(tf.Module):
    """The module that runs on a device: one picture's pixels in, its scores out."""

    def __init__(self, classifier: keras.Model, backbone: str):
        """Holds what is converted.

        Args:
          classifier: [batch, height, width, 3] scaled pixels -> [batch, classes] probabilities.
          backbone: whose pixel scaling goes into the file.
        """
        super().__init__()
        # TensorFlow's own variables: of Keras' the converter of TensorFlow 2.16 makes no constants,
        # and ends the process.
        self.variables_of_classifier = [variable.value for variable in classifier.variables]
        size = [1, *classifier.input_shape[1:]]
        spec = tf.TensorSpec(size, tf.uint8, INPUT)

        @tf.function(input_signature=[spec], autograph=False)
        def run(image: tf.Tensor) -> dict[str, tf.Tensor]:
            pixels = BACKBONES[backbone].scale(tf.cast(image, tf.float32))
            return {OUTPUT: classifier(pixels, training=False)}

        self.run = run


def convert(classifier: keras.Model, backbone: str, kind: Kind, pictures: np.ndarray) -> bytes:
    """Converts the classifier.

    Args:
      classifier: scaled pixels -> probabilities.
      backbone: whose pixel scaling goes into the file.
      kind: of its numbers.
      pictures: [count, height, width, 3] uint8 RGB; the ranges of `int8` come from them.

    Returns:
      The file's bytes: [1, height, width, 3] uint8 RGB `image` -> [1, classes] float32 `scores`.
    """
    device = Device(classifier, backbone)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(device, folder, signatures={"serving_default": device.run})
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=["serving_default"]
        )
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if kind == "float16":
            converter.target_spec.supported_types = [tf.float16]
        else:
            converter.representative_dataset = lambda: _one_by_one(pictures)
            # Operations without an 8 bit kernel (ConvNeXt's normalisation) stay as they are.
            converter.target_spec.supported_ops = [
                tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
                tf.lite.OpsSet.TFLITE_BUILTINS,
            ]
        return converter.convert()


def _one_by_one(pictures: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
    for picture in pictures:
        yield {INPUT: picture[np.newaxis]}
