"""What learns in a phase, behind what does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

Inputs = tf.Tensor | tuple[tf.Tensor, ...]
Augment = Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
"""Changes a training batch: (scaled pixels, labels one-hot) -> the same, changed."""


class Learner(keras.Model):
    """A functional model whose batches first pass what does not learn.

    The frozen layers run in inference mode and outside the gradient, whether they run here or ran
    once to be cached. They are no part of this model: its weights are those that change.
    """

    def __init__(
        self,
        inputs: Any,
        outputs: keras.KerasTensor,
        bottom: keras.Model | None = None,
        augment: Augment | None = None,
    ):
        """Makes the learner.

        Args:
          inputs: of the layers that learn.
          outputs: [batch, classes] probabilities.
          bottom: the frozen layers below; None where batches hold what those gave.
          augment: changes training pictures; asks for batches of pixels.
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
        """Lets Keras build nothing from a batch, as it would where there is a strategy.

        All is built by then, and a batch has not passed what does not learn.
        """


def _listed(figures: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Gives several workers' figures as lists of one.

    Keras takes their mean over the workers along an axis that single numbers lack, and fails
    (keras-team/keras, issue 20585).
    """
    if isinstance(tf.distribute.get_strategy(), tf.distribute.MultiWorkerMirroredStrategy):
        return {name: tf.reshape(figure, [1]) for name, figure in figures.items()}
    return figures


def make_learner(
    layers: list[keras.Model | keras.Layer], bottom: keras.Model | None, augment: Augment | None
) -> Learner:
    """Chains `layers` into what learns, from the inputs of the first to the last one's output."""
    first, *rest = layers
    inputs = [keras.Input(tensor.shape[1:], dtype=tensor.dtype) for tensor in first.inputs]
    outputs = first(inputs if len(inputs) > 1 else inputs[0])
    for layer in rest:
        outputs = layer(outputs)
    return Learner(inputs if len(inputs) > 1 else inputs[0], outputs, bottom, augment)
