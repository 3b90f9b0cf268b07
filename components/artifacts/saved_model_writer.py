"""Writes SavedModels that every loader can serve, those that run a session included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf


def write_saved_model(
    directory: str,
    signatures: Mapping[str, tf.types.experimental.GenericFunction],
    weights: Mapping[str, Sequence[keras.Variable]],
    assets: Sequence[str] = (),
) -> None:
    """Writes a SavedModel, each variable once.

    The module that is saved holds the TensorFlow variable of each Keras variable and nothing else
    of Keras. Of a Keras variable that it held, Keras would save a copy: the restore op would fill
    the copies while the signatures read the originals, which a session never initialises
    (`keras.src.backend.tensorflow.core.Variable._export_to_saved_model_graph`).

    Args:
      directory: where to.
      signatures: `tf.function`s with an input signature, by the key that requests name.
      weights: the variables that the signatures use, by the name under which a checkpoint reader
        finds the list: `<name>/<position>`.
      assets: paths of files that go along.

    Raises:
      AssertionError: a signature uses a variable that is not among the weights.
    """
    module = tf.Module()
    for name, variables in weights.items():
        setattr(module, name, [variable.value for variable in variables])
    module.assets = [tf.saved_model.Asset(path) for path in assets]
    # No server differentiates a model; tracing the gradients of every swish took two thirds of
    # EfficientNet's export, and grew with the square of its depth.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, directory, signatures=dict(signatures), options=options)
