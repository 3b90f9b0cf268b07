"""Random numbers that depend on seed and epoch alone, so that an epoch can be repeated."""

from __future__ import annotations

from collections.abc import Iterable

import keras
import numpy as np
import tensorflow as tf


def reseed(variables: Iterable[keras.Variable], seed: int, epoch: int) -> None:
    """Seeds the random generators among `variables` for an epoch.

    Args:
      variables: of a model; those that are no generator's state are left alone.
      seed: of the training.
      epoch: from 0.

    Each device draws its own numbers; the first one of several draws those of a single device.
    """
    states = [variable for variable in variables if variable.name == "seed_generator_state"]
    strategy = tf.distribute.get_strategy()
    replicas = range(strategy.num_replicas_in_sync)
    drawn = [
        [_draw(seed, epoch, index, replica) for replica in replicas] for index in range(len(states))
    ]

    def assign() -> None:
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        for state, draws in zip(states, drawn, strict=True):
            state.assign(tf.constant(draws)[replica])

    if states:
        strategy.run(assign)


def _draw(seed: int, epoch: int, index: int, replica: int) -> np.ndarray:
    entropy = [seed, epoch, index, replica] if replica else [seed, epoch, index]
    # Within any integer type that a backend may use.
    return np.random.SeedSequence(entropy).generate_state(2, np.uint32) >> 1


def shuffled(rows: np.ndarray | tf.Tensor, seed: int, epoch: tf.Tensor | int) -> tf.Tensor:
    """Returns the rows in an order that follows from seed and epoch alone."""
    return tf.random.experimental.stateless_shuffle(
        tf.convert_to_tensor(rows),
        seed=tf.stack([tf.cast(seed, tf.int64), tf.cast(epoch, tf.int64)]),
    )
