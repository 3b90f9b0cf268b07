"""The SavedModel: two signatures, the same for every backbone, with the Transform graph inside."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from components.artifacts import features, tfrecords
from components.artifacts.examples import parse
from components.artifacts.saved_model_writer import write_saved_model
from components.model import warm_start
from components.model.network import Network
from components.model.transform_graph import Pixels
from serving.picture_settings import DEFAULT, OUTPUT, PictureSettings

WARMUP = os.path.join("assets.extra", "tf_serving_warmup_requests")
CLASS_LIST = "classes.json"
PREPROCESSING = "preprocessing.json"
"""An asset that describes the graph's preprocessing, and the pictures that it accepts."""

_INPUTS = [tf.TensorSpec([None], tf.string, "inputs")]
WARMUP_PICTURES = 8
_WARMUP_BYTES = 1_000_000  # in all; a server runs them before every version


class Classifier:
    """Encoded pictures in, class names and scores out.

    AutoGraph is off: it would rewrite the code of Keras first, several seconds for nothing.
    """

    def __init__(
        self,
        network: Network,
        pixels: Pixels,
        classes: Sequence[str],
        pictures: PictureSettings = DEFAULT,
    ):
        """Keeps the parts that the signatures use.

        Args:
          network: scaled pixels -> probabilities.
          pixels: the Transform graph.
          classes: the class list.
          pictures: the settings by which the training's pictures became canonical.
        """
        self.model = network.classifier
        self.pixels = pixels
        self.classes = tf.constant(list(classes))
        self.pictures = pictures

    @tf.function(input_signature=_INPUTS, autograph=False)
    def serving_default(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns classes and scores [batch, classes], best first, for [batch] encoded pictures.

        And `picture_settings`, JSON text [batch], where the client has to know them: how pictures
        have to become canonical for this model.
        """
        scores, order = tf.math.top_k(self._scores(inputs), k=len(self.classes))
        found = {"classes": tf.gather(self.classes, order), "scores": scores}
        if self.pictures != DEFAULT:  # else no client has to know
            settings = tf.constant(self.pictures.encoded())
            found[OUTPUT] = tf.repeat(settings, tf.shape(scores)[0])
        return found

    @tf.function(input_signature=_INPUTS, autograph=False)
    def serve_examples(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns classes and scores [batch, classes] in the class list's order, for Examples.

        Only `image/encoded` is needed in them: the Classify API and TFMA send more or less.
        """
        scores = self._scores(parse(inputs, features.ENCODED)[features.ENCODED])
        classes = tf.tile(self.classes[tf.newaxis, :], [tf.shape(scores)[0], 1])
        return {"classes": classes, "scores": scores}

    def _scores(self, encoded: tf.Tensor) -> tf.Tensor:
        return self.model(self.pixels(encoded), training=False)


def export(
    network: Network,
    pixels: Pixels,
    backbone: str,
    classes: Sequence[str],
    warmup: Sequence[bytes],
    directory: str,
    pictures: PictureSettings = DEFAULT,
) -> None:
    """Writes the SavedModel.

    Args:
      network: the fitted one.
      pixels: the Transform graph.
      backbone: whose pixel scaling it is.
      classes: the class list.
      warmup: encoded pictures that a server runs before it calls the model available.
      directory: where to.
      pictures: the settings by which the training's pictures became canonical.
    """
    with tempfile.TemporaryDirectory() as folder:
        contents = {CLASS_LIST: list(classes), PREPROCESSING: _facts(pixels, backbone, pictures)}
        for name, content in contents.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                json.dump(content, file, ensure_ascii=False)
        assets = [os.path.join(folder, name) for name in contents]
        classifier = Classifier(network, pixels, classes, pictures)
        signatures = {
            "serving_default": classifier.serving_default,
            "serve_examples": classifier.serve_examples,
        }
        # In Keras' order, for a later training that starts from this model.
        weights = {warm_start.BASE: network.base.weights, warm_start.HEAD: network.head.weights}
        write_saved_model(directory, signatures, weights, assets)
    _write_warmup(warmup, os.path.join(directory, WARMUP))


def _facts(pixels: Pixels, backbone: str, pictures: PictureSettings) -> dict[str, Any]:
    height, width = pixels.size
    return {
        "takes": "encoded pictures, upright, sRGB, 8 bit",
        "formats": ["JPEG", "PNG", "GIF", "BMP"],
        "height": height,
        "width": width,
        "channels": 3,
        "scaling": backbone,
        **pictures.as_json(),
    }


def smallest(pictures: Sequence[bytes]) -> list[bytes]:
    """Returns the smallest of some encoded pictures for the warm-up: at least one, under 1 MB."""
    chosen: list[bytes] = []
    for picture in sorted(pictures, key=len)[:WARMUP_PICTURES]:
        if not chosen or sum(map(len, chosen)) + len(picture) <= _WARMUP_BYTES:
            chosen.append(picture)
    return chosen


def _write_warmup(pictures: Sequence[bytes], path: str) -> None:
    tf.io.gfile.makedirs(os.path.dirname(path))
    tfrecords.write(path, map(_prediction_log, pictures))


def _prediction_log(picture: bytes) -> bytes:
    request = predict_pb2.PredictRequest()
    request.model_spec.signature_name = "serving_default"
    request.inputs["inputs"].CopyFrom(tf.make_tensor_proto([picture]))
    log = prediction_log_pb2.PredictionLog(
        predict_log=prediction_log_pb2.PredictLog(request=request)
    )
    return bytes(log.SerializeToString())
