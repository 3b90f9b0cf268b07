"""Starts from the model that is served now instead of published weights."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import keras
import tensorflow as tf

from components.errors import ConfigError
from components.model.cut_base import cut_base
from components.model.network import Network
from components.model.random_base import build_random_base
from components.model.standardization import EPSILON, STANDARDIZE
from components.model.transform_graph import Pixels
from components.pretrained.base import build_base

BASE, HEAD = "base_weights", "head_weights"
"""The lists of variables in a checkpoint of weights, each in Keras' order."""
_WEIGHTS = os.path.join("assets.extra", "training_weights")
"""In a SavedModel's folder: the checkpoint, which no server reads."""
_VARIABLES = os.path.join("variables", "variables")
"""The same in models whose graph was not folded yet."""
CLASS_LIST = os.path.join("assets", "classes.json")


def write_weights(network: Network, directory: str) -> None:
    """Writes a network's weights into its SavedModel's folder.

    What is served is folded, rounded to bfloat16 where asked for, and can't be trained further.
    """
    lists = {BASE: network.base, HEAD: network.head}
    checkpoint = tf.train.Checkpoint(
        **{name: [each.value for each in part.weights] for name, part in lists.items()}
    )
    checkpoint.write(os.path.join(directory, _WEIGHTS))


def own_base(
    backbone: str,
    pixels: Pixels,
    train: str,
    seed: int,
    served: str | None,
    features: Sequence[str] | None = None,
) -> keras.Model:
    """Returns a base without published weights: the served model's, or a random one.

    Args:
      backbone: a key of `BACKBONES`.
      pixels: the Transform graph.
      train: folder of the training split, which random weights are scaled to.
      seed: of random weights.
      served: folder of the served model, or None.
      features: as `model.features`; the served model has no layers above the highest of them.

    Raises:
      ConfigError: the served model has another backbone.
    """
    if served is None:
        return build_random_base(backbone, pixels, train, seed)
    base = build_base(backbone, pixels.size, None)
    restore_base(cut_base(base, features), served)
    return base


def restore_base(base: keras.Model, served: str) -> None:
    """Restores the base's weights from the served model.

    Raises:
      ConfigError: that has another backbone.
    """
    _restore(BASE, [variable.value for variable in base.weights], served)


def restore_head(
    head: keras.Model,
    classes: Sequence[str],
    served: str,
    *,
    former_names: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> None:
    """Restores the head's weights from the served model.

    Those of the last layer are restored by the name of the class, now or before: a class that is
    new starts at random, one that has vanished is left out. Where the served head does not
    standardise, this one goes on with mean 0 and variance 1; where it does and this one does not,
    its first layer scales what it reads instead.

    Args:
      head: its last two weights are kernel [features, classes] and bias [classes] of the softmax.
      classes: the class list now.
      served: folder of the served model.
      former_names: earlier names of classes, the latest first.

    Raises:
      ConfigError: that has another head.
    """
    with tf.io.gfile.GFile(os.path.join(served, CLASS_LIST), "rb") as file:
        before = json.loads(file.read())
    *inner, kernel, bias = [variable.value for variable in head.weights]
    if head.layers[1].name == STANDARDIZE and _count(HEAD, served) == len(inner):
        inner = inner[2:]  # fitted to features as they are: new statistics change none
    old_kernel = tf.Variable(tf.zeros([kernel.shape[0], len(before)]))
    old_bias = tf.Variable(tf.zeros([len(before)]))
    layers = [*inner, old_kernel, old_bias]
    if head.layers[1].name != STANDARDIZE and _count(HEAD, served) == len(layers) + 2:
        _restore_standardised(layers, served)
    else:
        _restore(HEAD, layers, served)
    known = [_known_as(name, before, former_names) for name in classes]
    now = [index for index, name in enumerate(known) if name is not None]
    then = [before.index(name) for name in known if name is not None]
    if now:
        columns = tf.gather(old_kernel, then, axis=1)
        scattered = tf.tensor_scatter_nd_update(
            tf.transpose(kernel), [[index] for index in now], tf.transpose(columns)
        )
        kernel.assign(tf.transpose(scattered))
        bias.assign(
            tf.tensor_scatter_nd_update(bias, [[index] for index in now], tf.gather(old_bias, then))
        )


def _restore_standardised(layers: list[tf.Variable], served: str) -> None:
    """Restores a head's weights so that it reads features as they are: the same answers.

    Args:
      layers: its first two are kernel [features, units] and bias [units].
      served: folder of a model whose head standardises.
    """
    kernel, bias, *_ = layers
    mean, variance = (tf.Variable(tf.zeros(kernel.shape[:1])) for _ in range(2))
    _restore(HEAD, [mean, variance, *layers], served)
    kernel.assign(kernel / tf.sqrt(variance + EPSILON)[:, None])
    bias.assign_sub(tf.linalg.matvec(kernel, mean, transpose_a=True))


def _known_as(
    name: str, before: Sequence[str], former_names: Mapping[str, Sequence[str]]
) -> str | None:
    """Returns what the served model calls a class; None where it does not know it."""
    names = [name, *former_names.get(name, [])]
    return next((each for each in names if each in before), None)


def _restore(name: str, variables: list[tf.Variable], served: str) -> None:
    checkpoint = tf.train.Checkpoint(**{name: variables})
    try:
        status = checkpoint.read(_weights_in(served))
        status.expect_partial().assert_existing_objects_matched()
    except (AssertionError, ValueError, tf.errors.OpError) as error:
        fault = " ".join(str(error).split())[:200]
        raise ConfigError(
            f"training.warm_start: the model served now has another network than `model` "
            f"describes ({fault}). Restore its backbone and head in the configuration, or set "
            "training.warm_start=false for this run."
        ) from error


def _count(name: str, served: str) -> int:
    """Returns how many variables the served model has of a list."""
    saved = _saved_names(_weights_in(served))
    return len({each.split("/")[1] for each in saved if each.startswith(f"{name}/")})


def _weights_in(served: str) -> str:
    """Returns the checkpoint's prefix.

    Raises:
      ConfigError: the model was exported without weights to train on.
    """
    if tf.io.gfile.exists(os.path.join(served, f"{_WEIGHTS}.index")):
        return os.path.join(served, _WEIGHTS)
    old = os.path.join(served, _VARIABLES)
    if not any(name.startswith(BASE) for name in _saved_names(old)):
        raise ConfigError(
            "training.warm_start: the model served now was exported with "
            "export.training_weights=false, so it holds no weights to train on. Set "
            "training.warm_start=false for this run, and export.training_weights=true."
        )
    return old


def _saved_names(prefix: str) -> list[str]:
    if not tf.io.gfile.exists(f"{prefix}.index"):
        return []
    return [name for name, _ in tf.train.list_variables(prefix)]
