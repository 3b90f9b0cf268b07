"""The network as SavedModels hold it: folded, and averaged over flips where asked for.

In float32 its weights are variables: constants are no faster, and a server copies a graph several
times when it loads it (InceptionV3 in TensorFlow Serving: 2.3 GB with constants, 0.6 GB with
variables). In bfloat16 they are constants, with which single pictures take half the time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from components.model.folding import inference_copy
from components.model.network import Network
from components.settings.export import AS_FITTED, Served
from components.trainer.scoring import UNCHANGED, Scoring, with_features

Scores = Callable[[tf.Tensor], tf.Tensor]
"""[batch, height, width, 3] float32 scaled pixels -> [batch, classes] float32 probabilities."""
Predict = Callable[[tf.Tensor], dict[str, tf.Tensor]]
"""The same -> `scores` and what is asked for of `certain` and `distance` [batch]."""
Outputs = Callable[[tf.Tensor], Sequence[tf.Tensor]]
"""The same -> probabilities [batch, classes] and features [batch, features]."""

_AXES = {"horizontal": 2, "vertical": 1}


class ServedNetwork:
    """A fitted network in the form in which it is served.

    Attributes:
      predict: ONE function that all signatures call: else each would be traced anew.
      variables: of the function, which a SavedModel must hold.
      weight_bytes: of all weights.
    """

    predict: Predict

    def __init__(self, network: Network, served: Served = AS_FITTED, scoring: Scoring = UNCHANGED):
        """Copies the weights as they are now.

        Args:
          network: the fitted one, which stays as it is.
          served: precision of the base, and flips.
          scoring: what becomes of the scores.
        """
        model = with_features(inference_copy(network, served.precision))
        self.weight_bytes = sum(variable.numpy().nbytes for variable in model.weights)
        once, self.variables = _called(model, constant=served.precision != "float32")
        spec = tf.TensorSpec([None, *model.input_shape[1:]], tf.float32, "pixels")

        @tf.function(input_signature=[spec], autograph=False)
        def predict(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
            return scoring(*averaged(once, pixels, served))

        self.predict = predict.get_concrete_function()

    def scores(self, pixels: tf.Tensor) -> tf.Tensor:
        """Returns [batch, classes] probabilities of scaled pixels [batch, height, width, 3]."""
        return self.predict(pixels)["scores"]


def _called(model: keras.Model, constant: bool) -> tuple[Outputs, list[keras.Variable]]:
    """Returns the model's function and the variables that it uses."""
    if not constant:
        return lambda batch: model(batch, training=False), model.weights
    # Made outside of the traced function, which holds them once then.
    weights = [tf.constant(weight.numpy()) for weight in model.non_trainable_variables]
    return lambda batch: model.stateless_call([], weights, batch, training=False)[0], []


def averaged(outputs: Outputs, pixels: tf.Tensor, served: Served) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the mean scores [batch, classes] of each picture and its flips, and its features.

    The features are those of the picture as it is.
    """
    variants = [pixels]
    for direction in served.average_flips:
        variants += [tf.reverse(each, [_AXES[direction]]) for each in variants]
    if len(variants) == 1:
        scores, features = outputs(pixels)
        return scores, features
    together, features = outputs(tf.concat(variants, 0))
    scores = tf.reduce_mean(tf.stack(tf.split(together, len(variants))), axis=0)
    return scores, tf.split(features, len(variants))[0]
