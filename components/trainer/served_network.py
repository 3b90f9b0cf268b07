"""The network as SavedModels hold it: folded, made of constants, and averaged over flips.

Scaled pixels go in and scores come out; what becomes of the scores is the export's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from components.model.folding import inference_copy
from components.model.network import Network
from components.settings.export import AS_FITTED, Served
from components.trainer.scoring import UNCHANGED, Scoring, with_features

Scores = Callable[[tf.Tensor], tf.Tensor]
"""[batch, height, width, 3] float32 scaled pixels -> [batch, classes] float32 probabilities."""
Predict = Callable[[tf.Tensor], dict[str, tf.Tensor]]
"""The same -> `scores` and, where it is asked for, `certain` [batch]."""
Outputs = Callable[[tf.Tensor], Sequence[tf.Tensor]]
"""The same -> probabilities [batch, classes] and features [batch, features]."""

_AXES = {"horizontal": 2, "vertical": 1}


class ServedNetwork:
    """A fitted network in the form in which it is served.

    Attributes:
      predict: ONE function that all signatures call: else each would hold the constants once more.
      weight_bytes: of the constants.
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
        weights = [variable.numpy() for variable in model.non_trainable_variables]
        self.weight_bytes = sum(weight.nbytes for weight in weights)
        spec = tf.TensorSpec([None, *model.input_shape[1:]], tf.float32, "pixels")

        @tf.function(input_signature=[spec], autograph=False)
        def predict(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
            def once(batch: tf.Tensor) -> Sequence[tf.Tensor]:
                constants = [tf.constant(weight) for weight in weights]
                return model.stateless_call([], constants, batch, training=False)[0]

            return scoring(*averaged(once, pixels, served))

        self.predict = predict.get_concrete_function()

    def scores(self, pixels: tf.Tensor) -> tf.Tensor:
        """Returns [batch, classes] probabilities of scaled pixels [batch, height, width, 3]."""
        return self.predict(pixels)["scores"]


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
