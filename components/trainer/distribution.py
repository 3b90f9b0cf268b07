"""One device or several: how a training is spread, and what each part of it reads."""

from __future__ import annotations

import os
from typing import Any

import tensorflow as tf

from components.errors import ConfigError
from components.fit.losses import weighted, weights
from components.fit.training_data import Data
from components.settings.training import Training
from components.trainer.cluster import read_cluster


def check_devices(training: Training) -> list[str]:
    """Returns the names of this machine's devices that train; none where one device does.

    Raises:
      ConfigError: there are too few, or a batch can't be dealt out to them evenly.
    """
    if training.distribution == "none":
        return []
    machines = 1
    if training.distribution == "multi_worker":
        machines = len(read_cluster(os.environ).workers)
        # TensorFlow takes all; they can't be listed by name before it has joined the cluster.
        names = [device.name for device in tf.config.list_physical_devices("GPU")] or ["CPU:0"]
    else:
        names = _local(training.devices)
    _check_batch(training.batch_size, machines * len(names))
    return names


def _local(wanted: int | None) -> list[str]:
    found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    count = len(found) if wanted is None else wanted
    if count < 2 or count > len(found):
        listed = ", ".join(device.name.removeprefix("/device:") for device in found)
        raise ConfigError(
            f"training.distribution: mirrored needs {max(count, 2)} devices, and there are "
            f"{len(found)} ({listed}). Set training.distribution=none, or training.devices to "
            "fewer."
        )
    return [device.name for device in found[:count]]


def _check_batch(size: int, replicas: int) -> None:
    if size % replicas:
        lower = size - size % replicas
        near = [str(number) for number in (lower, lower + replicas) if number]
        raise ConfigError(
            f"training.batch_size: found {size}, which {replicas} devices can't share evenly. Set "
            f"it to {' or '.join(near)}."
        )


def make_strategy(training: Training) -> tf.distribute.Strategy:
    """Returns the strategy in whose scope a training's network is made and fitted.

    With several workers it waits for all of them, and must come before anything that runs on a
    device.

    Raises:
      ConfigError: as `check_devices`.
    """
    names = check_devices(training)
    if training.distribution == "mirrored":
        return tf.distribute.MirroredStrategy(names)
    if training.distribution == "multi_worker":
        return tf.distribute.MultiWorkerMirroredStrategy()
    return tf.distribute.get_strategy()


def is_chief() -> bool:
    """Checks whether this process writes model, history and state; of several workers one does."""
    return not _has_workers(tf.distribute.get_strategy()) or read_cluster(os.environ).is_chief


def _has_workers(strategy: tf.distribute.Strategy) -> bool:
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def all_agree(yes: bool) -> bool:
    """Checks whether `yes` holds for every worker; else they would wait for each other forever.

    All workers must call it, in the strategy's scope.
    """
    strategy = tf.distribute.get_strategy()
    if not _has_workers(strategy):
        return yes
    votes = strategy.run(lambda: tf.constant(0 if yes else 1))
    return int(strategy.reduce(tf.distribute.ReduceOp.SUM, votes, axis=None)) == 0


def shares(
    data: Data, first: int, last: int, class_weight: dict[int, float] | None
) -> dict[str, Any]:
    """Returns the arguments by which `fit` reads its data in the current strategy's scope.

    With several devices each has its part of every batch, in the order of the devices; a worker
    reads the parts of its own devices and no others. Keras
    takes the mean of the devices' mean losses; where the last batch of an epoch can't be dealt out
    evenly, pictures are weighted so that the gradient is still that of the whole batch.

    Args:
      data: of the phase.
      first: epoch.
      last: epoch, not included.
      class_weight: weight of each class index in the loss, or None.
    """
    strategy = tf.distribute.get_strategy()
    if strategy.num_replicas_in_sync == 1:
        return {
            "x": weighted(data.epochs(first, last), class_weight),
            "validation_data": data.validation,
        }
    if data.dealt is None:
        raise ValueError("This data can't be shared by several devices.")
    dealt = data.dealt

    def train(context: tf.distribute.InputContext) -> tf.data.Dataset:
        own = dealt(context.input_pipeline_id, context.num_input_pipelines)
        return _dealt_out(own.epochs(first, last), context, class_weight or {})

    def validation(context: tf.distribute.InputContext) -> tf.data.Dataset:
        own = dealt(context.input_pipeline_id, context.num_input_pipelines)
        return _dealt_out(own.validation, context, None)

    return {
        "x": strategy.distribute_datasets_from_function(train),
        "validation_data": strategy.distribute_datasets_from_function(validation),
        # The length of a dealt out dataset is unknown.
        "validation_steps": int(data.validation.cardinality()),
    }


def _dealt_out(
    batches: tf.data.Dataset,
    context: tf.distribute.InputContext,
    class_weight: dict[int, float] | None,
) -> tf.data.Dataset:
    """Returns the parts of this worker's devices, one after the other, of each worker's part."""
    replicas = context.num_replicas_in_sync
    local = replicas // context.num_input_pipelines
    first = context.input_pipeline_id * local

    def parts(count: tf.Tensor, inputs: Any, labels: tf.Tensor) -> tf.data.Dataset:
        before = first * count // replicas  # of other workers

        def part(replica: tf.Tensor) -> tuple[Any, ...]:
            start, end = replica * count // replicas, (replica + 1) * count // replicas
            rows = slice(start - before, end - before)
            own_labels = labels[rows]
            own = tf.nest.map_structure(lambda tensor: tensor[rows], inputs), own_labels
            if class_weight is None:
                return own
            share = replicas * tf.shape(own_labels, tf.int64)[0] / count
            return (*own, tf.cast(share, tf.float32) * weights(own_labels, class_weight))

        return tf.data.Dataset.range(first, first + local).map(part)

    return batches.flat_map(parts).prefetch(tf.data.AUTOTUNE)
