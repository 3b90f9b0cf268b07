"""The network as SavedModels hold it: folded, made of constants, and averaged over flips.

Scaled pixels go in and scores come out; what becomes of the scores is the export's.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from components.model.folding import inference_copy
from components.model.network import Network
from components.settings.export import AS_FITTED, Served

Scores = Callable[[tf.Tensor], tf.Tensor]
"""[batch, height, width, 3] float32 scaled pixels -> [batch, classes] float32 probabilities."""

_AXES = {"horizontal": 2, "vertical": 1}


class ServedNetwork:
    """A fitted network in the form in which it is served.

    Attributes:
      scores: ONE function that all signatures call: else each would hold the constants once more.
      weight_bytes: of the constants.
    """

    scores: Scores

    def __init__(self, network: Network, served: Served = AS_FITTED):
        """Copies the weights as they are now.

        Args:
          network: the fitted one, which stays as it is.
          served: precision of the base, and flips.
        """
        model = inference_copy(network, served.precision)
        weights = [variable.numpy() for variable in model.non_trainable_variables]
        self.weight_bytes = sum(weight.nbytes for weight in weights)
        # Made outside of the function, which would be copied with them for each signature.
        constants = [tf.constant(weight) for weight in weights]
        spec = tf.TensorSpec([None, *model.input_shape[1:]], tf.float32, "pixels")

        @tf.function(input_signature=[spec], autograph=False)
        def scores(pixels: tf.Tensor) -> tf.Tensor:
            def once(batch: tf.Tensor) -> tf.Tensor:
                return model.stateless_call([], constants, batch, training=False)[0]

            return averaged(once, pixels, served)

        self.scores = scores.get_concrete_function()


def averaged(scores: Scores, pixels: tf.Tensor, served: Served) -> tf.Tensor:
    """Returns the mean [batch, classes] of the scores of each picture and its flips."""
    variants = [pixels]
    for direction in served.average_flips:
        variants += [tf.reverse(each, [_AXES[direction]]) for each in variants]
    if len(variants) == 1:
        return scores(pixels)
    together = scores(tf.concat(variants, 0))
    return tf.reduce_mean(tf.stack(tf.split(together, len(variants))), axis=0)
