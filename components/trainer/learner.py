"""The trainable layers of a phase, behind its frozen ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

Inputs = tf.Tensor | tuple[tf.Tensor, ...]
Bottom = Callable[..., Any]
"""Frozen layers: (inputs, training=False) -> `Inputs` of the trainable ones."""
Augment = Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
"""Changes a training batch: (scaled pixels, labels one-hot) -> the same, changed."""


class Learner(keras.Model):
    """A functional model of the trainable layers; its batches first pass the frozen ones.

    The frozen layers run in inference mode and outside the gradient, whether they run here or ran
    once to be cached. They are no part of this model: its weights are those that change.
    """

    def __init__(
        self,
        inputs: Any,
        outputs: keras.KerasTensor,
        bottom: Bottom | None = None,
        augment: Augment | None = None,
    ):
        """Makes the learner.

        Args:
          inputs: of the trainable layers.
          outputs: [batch, classes] probabilities.
          bottom: the frozen layers below, a model or a part of one; None where batches hold their
            outputs.
          augment: changes training pictures; needs batches of pixels.
        """
        super().__init__(inputs=inputs, outputs=outputs)
        # In closures: as attributes they would become layers of this model.
        self._run_bottom = (lambda x: x) if bottom is None else lambda x: bottom(x, training=False)
        self._augment = augment or (lambda x, y: (x, y))

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        x, y = self._augment(x, y)
        return _listed(super().train_step((self._run_bottom(x), y, weight)))

    def test_step(self, data: Any) -> dict[str, Any]:
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        return _listed(super().test_step((self._run_bottom(x), y, weight)))

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Keeps Keras from building the model from a batch, as it would where there is a strategy.

        It is built by then, and a batch has not passed the frozen layers.
        """


def _listed(metrics: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Returns several workers' metrics as lists of one.

    Keras takes their mean over the workers along an axis that single numbers lack, and fails
    (keras-team/keras, issue 20585).
    """
    if isinstance(tf.distribute.get_strategy(), tf.distribute.MultiWorkerMirroredStrategy):
        return {name: tf.reshape(metric, [1]) for name, metric in metrics.items()}
    return metrics


def make_learner(
    layers: list[keras.Model | keras.Layer], bottom: Bottom | None, augment: Augment | None
) -> Learner:
    """Chains `layers` into a learner, from the inputs of the first to the last one's output."""
    first, *rest = layers
    inputs = [keras.Input(tensor.shape[1:], dtype=tensor.dtype) for tensor in first.inputs]
    outputs = first(inputs if len(inputs) > 1 else inputs[0])
    for layer in rest:
        outputs = layer(outputs)
    return Learner(inputs if len(inputs) > 1 else inputs[0], outputs, bottom, augment)
