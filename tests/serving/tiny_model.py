"""A model of a few numbers with the signatures of a real one: it tells a picture's main colour."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import keras
import tensorflow as tf
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from components.artifacts.saved_model_writer import write_saved_model
from components.picture_ops import decode

CLASSES = ("blue", "green", "red")


class Colours:
    """Scores are the softmax of the mean of blue, green and red, each plus its `bias`."""

    def __init__(
        self, bias: tuple[float, float, float] = (0.0, 0.0, 0.0), max_pixels: int | None = None
    ) -> None:
        self.max_pixels = max_pixels
        self.classes = tf.constant(CLASSES)
        self.bias = keras.Variable(bias, name="bias")

    def scores(self, encoded: tf.Tensor) -> tf.Tensor:
        def mean(picture: tf.Tensor) -> tf.Tensor:
            pixels = decode(picture, self.max_pixels)
            return tf.reduce_mean(tf.cast(pixels, tf.float32), axis=[0, 1])[::-1] / 255.0

        means = tf.map_fn(mean, encoded, fn_output_signature=tf.TensorSpec([3], tf.float32))
        return tf.nn.softmax(means + self.bias)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def serving_default(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        scores, best = tf.math.top_k(self.scores(inputs), len(CLASSES))
        return {"classes": tf.gather(self.classes, best), "scores": scores}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def serve_examples(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        features = {"image/encoded": tf.io.FixedLenFeature([], tf.string)}
        scores = self.scores(tf.io.parse_example(inputs, features)["image/encoded"])
        classes = tf.tile(self.classes[tf.newaxis], [tf.shape(scores)[0], 1])
        return {"classes": classes, "scores": scores}

    @tf.function(input_signature=[tf.TensorSpec([], tf.float32, name="seconds")])
    def busy(self, seconds: tf.Tensor) -> dict[str, tf.Tensor]:
        """Keeps a request under way for so long."""
        end = tf.timestamp() + tf.cast(seconds, tf.float64)
        turns = tf.while_loop(lambda _: tf.timestamp() < end, lambda turn: (turn + 1,), (0,))
        return {"turns": turns[0]}


def export(
    path: Path,
    bias: tuple[float, float, float] = (0.0, 0.0, 0.0),
    max_pixels: int | None = None,
) -> Path:
    """Writes the model to `path` as a SavedModel with the signatures it has methods for."""
    model = Colours(bias, max_pixels)
    names = ("serving_default", "serve_examples", "busy")
    signatures = {name: getattr(model, name) for name in names}
    write_saved_model(str(path), signatures, {"head_weights": [model.bias]})
    return path


def add_warmup(path: Path, *requests: PredictRequest) -> Path:
    """Adds warm-up requests to the SavedModel at `path`."""
    file = path / "assets.extra" / "tf_serving_warmup_requests"
    file.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(file)) as writer:
        for request in requests:
            log = PredictionLog()
            log.predict_log.request.CopyFrom(request)
            writer.write(log.SerializeToString())
    return path


def predict_request(pictures: Iterable[bytes]) -> PredictRequest:
    request = PredictRequest()
    request.model_spec.name = "classifier"
    request.inputs["inputs"].CopyFrom(tf.make_tensor_proto(list(pictures), tf.string))
    return request


def busy_request(seconds: float) -> PredictRequest:
    request = PredictRequest()
    request.model_spec.name = "classifier"
    request.model_spec.signature_name = "busy"
    request.inputs["seconds"].CopyFrom(tf.make_tensor_proto(seconds, tf.float32))
    return request


if __name__ == "__main__":  # for `make test-serving`
    export(Path(sys.argv[1], "3"))
