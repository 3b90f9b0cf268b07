"""The SavedModel: three signatures, the same for every backbone, the Transform graph inside."""

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
from components.backbones import BACKBONES
from components.model import warm_start
from components.model.network import Network
from components.model.transform_graph import Pixels
from components.settings.export import AS_FITTED, Served
from components.trainer.scoring import UNCHANGED, Scoring
from components.trainer.served_network import Predict, ServedNetwork
from serving.picture_settings import DEFAULT, OUTPUT, PictureSettings
from serving.signatures import CLASSES, EXAMPLES, PICTURES, SCORES

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
        network: Predict,
        pixels: Pixels,
        backbone: str,
        classes: Sequence[str],
        pictures: PictureSettings = DEFAULT,
    ):
        """Keeps the parts that the signatures use.

        Args:
          network: scaled pixels -> `scores` and what is asked for of `certain` and `distance`.
          pixels: the Transform graph.
          backbone: whose pixel scaling it is.
          classes: the class list.
          pictures: the settings by which the training's pictures became canonical.
        """
        self.network = network
        self.pixels = pixels
        self.scale = BACKBONES[backbone].scale
        self.classes = tf.constant(list(classes))
        self.pictures = pictures

    @tf.function(input_signature=_INPUTS, autograph=False)
    def serving_default(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns classes and scores [batch, classes], best first, for [batch] encoded pictures.

        And, where they are asked for, `certain`, bool [batch], and `distance`, float32 [batch]; and
        `picture_settings`, JSON text [batch], where the client has to know how pictures become
        canonical for this model.
        """
        predicted = self._predict(inputs)
        scores, order = tf.math.top_k(predicted.pop(SCORES), k=len(self.classes))
        found = {CLASSES: tf.gather(self.classes, order), SCORES: scores, **predicted}
        if self.pictures != DEFAULT:  # else no client has to know
            settings = tf.constant(self.pictures.encoded())
            found[OUTPUT] = tf.repeat(settings, tf.shape(scores)[0])
        return found

    @tf.function(input_signature=_INPUTS, autograph=False)
    def serve_examples(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns classes and scores [batch, classes] in the class list's order, for Examples.

        Only `image/encoded` is needed in them: the Classify API and TFMA send more or less.
        """
        scores = self._predict(parse(inputs, features.ENCODED)[features.ENCODED])[SCORES]
        classes = tf.tile(self.classes[tf.newaxis, :], [tf.shape(scores)[0], 1])
        return {CLASSES: classes, SCORES: scores}

    def of_pixels(self) -> tf.types.experimental.GenericFunction:
        """Returns the signature that takes pictures [batch, height, width, 3] uint8 RGB.

        Of the network's size, for servers without the decoder (OpenVINO, ONNX Runtime, Triton).
        It returns scores [batch, classes] in the class list's order.
        """
        image = tf.TensorSpec([None, *self.pixels.size, 3], tf.uint8, "image")

        @tf.function(input_signature=[image], autograph=False)
        def of_pixels(image: tf.Tensor) -> dict[str, tf.Tensor]:
            return {SCORES: self.network(self.scale(tf.cast(image, tf.float32)))[SCORES]}

        return of_pixels

    def _predict(self, encoded: tf.Tensor) -> dict[str, tf.Tensor]:
        return dict(self.network(self.pixels(encoded)))


def export(
    network: Network,
    pixels: Pixels,
    backbone: str,
    classes: Sequence[str],
    warmup: Sequence[bytes],
    directory: str,
    pictures: PictureSettings = DEFAULT,
    served: Served = AS_FITTED,
    scoring: Scoring = UNCHANGED,
) -> ServedNetwork:
    """Writes the SavedModel; returns the network as it is in there.

    Args:
      network: the fitted one.
      pixels: the Transform graph.
      backbone: whose pixel scaling it is.
      classes: the class list.
      warmup: encoded pictures that a server runs before it calls the model available.
      directory: where to.
      pictures: the settings by which the training's pictures became canonical.
      served: the network's form.
      scoring: what becomes of its scores.
    """
    form = ServedNetwork(network, served, scoring)
    with tempfile.TemporaryDirectory() as folder:
        contents = {CLASS_LIST: list(classes), PREPROCESSING: _facts(pixels, backbone, pictures)}
        for name, content in contents.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                json.dump(content, file, ensure_ascii=False)
        assets = [os.path.join(folder, name) for name in contents]
        classifier = Classifier(form.predict, pixels, backbone, classes, pictures)
        signatures = {
            PICTURES: classifier.serving_default,
            EXAMPLES: classifier.serve_examples,
            "pixels": classifier.of_pixels(),
        }
        write_saved_model(directory, signatures, {"network": form.variables}, assets)
    _write_warmup(warmup, os.path.join(directory, WARMUP))
    if served.training_weights:
        warm_start.write_weights(network, directory)
    return form


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
    request.model_spec.signature_name = PICTURES
    request.inputs["inputs"].CopyFrom(tf.make_tensor_proto([picture]))
    log = prediction_log_pb2.PredictionLog(
        predict_log=prediction_log_pb2.PredictLog(request=request)
    )
    return bytes(log.SerializeToString())
