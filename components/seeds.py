"""Random numbers that depend on seed and epoch alone, so that an epoch can be repeated."""

from __future__ import annotations

from collections.abc import Iterable

import keras
import numpy as np
import tensorflow as tf


def reseed(variables: Iterable[keras.Variable], seed: int, epoch: int) -> None:
    """Sets the state of the random generators among `variables` for an epoch.

    Every other variable stays as it is. What a generator draws counts its state up from there.
    """
    states = [variable for variable in variables if variable.name == "seed_generator_state"]
    for index, state in enumerate(states):
        drawn = np.random.SeedSequence([seed, epoch, index]).generate_state(2, np.uint32)
        state.assign(drawn >> 1)  # within any integer type that a backend may use


def shuffled(rows: np.ndarray, seed: int, epoch: tf.Tensor | int) -> tf.Tensor:
    """Gives the rows in an order that follows from seed and epoch alone."""
    return tf.random.experimental.stateless_shuffle(
        tf.constant(rows), seed=tf.stack([tf.cast(seed, tf.int64), tf.cast(epoch, tf.int64)])
    )
