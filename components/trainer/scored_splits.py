"""Runs a fitted network over `eval`, and over training pictures, to fit what scores become."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from components.artifacts import features, record_counts
from components.artifacts.examples import PICTURE, parse
from components.artifacts.tfrecords import read_records
from components.settings.export import AS_FITTED, Served
from components.step import progress
from components.trainer.scoring import Outputs, Scoring, fit_scoring, pooled, with_features
from components.trainer.served_network import averaged
from components.trainer.training_inputs import TrainingInputs
from components.trainer.training_loop import Fitted

_BATCH = 16  # pictures
_NUMBERS = 50_000_000  # of training features, at most: 200 MB

Run = Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor, tf.Tensor]]
"""[batch] serialized Examples -> scores [batch, classes], pooled features, names of labels."""


def fitted_scoring(
    fitted: Fitted, inputs: TrainingInputs, served: Served
) -> tuple[Scoring, dict[str, Any]]:
    """Returns what becomes of the network's scores, fitted on `eval`, and the facts of it.

    Args:
      fitted: the network and its history.
      inputs: of its training.
      served: what is asked for, and the flips over which scores are averaged.
    """
    progress.report("calibrates on the eval split")
    # Of a million pictures features take gigabytes, and `certain` alone has use for them.
    evaluated = _outputs(fitted, inputs, features.EVAL, served, keep=served.certain is not None)
    train = None
    if served.certain is not None:
        # One score per picture is enough: features are those of the picture as it is.
        most = max(1, _NUMBERS // evaluated.features.shape[1])
        train = _outputs(fitted, inputs, features.TRAIN, AS_FITTED, most)
    return fit_scoring(served, evaluated, train)


def _outputs(
    fitted: Fitted,
    inputs: TrainingInputs,
    split: str,
    served: Served,
    most: int = -1,
    keep: bool = True,
) -> Outputs:
    """Returns the network's outputs for a split's pictures, the first `most` of them.

    Without `keep` their features are left out.
    """
    cached = _cached(fitted, inputs, split) if not served.average_flips else None
    folder = cached or (inputs.train if split == features.TRAIN else inputs.eval)
    run = _on_bottlenecks(fitted) if cached else _on_pictures(fitted, inputs, served)
    batches = read_records(folder).take(most).batch(_BATCH)
    found_in = _batches(run, batches, None if keep else 0)
    scores, found, labels = map(list, zip(*found_in, strict=True))
    names = np.concatenate(labels)
    if most < 0:
        record_counts.check(f"records of {folder}", len(names), inputs.count(split))
    position = {name.encode(): index for index, name in enumerate(inputs.classes)}
    return Outputs(
        np.concatenate(scores),
        np.concatenate(found),
        np.array([position[name] for name in names.tolist()], np.int64),
    )


def _batches(
    run: Run, batches: Iterable[tf.Tensor], most_features: int | None
) -> Iterator[tuple[np.ndarray, ...]]:
    for batch in batches:
        scores, found, labels = (each.numpy() for each in run(batch))
        yield scores, found[:, :most_features], labels


def _cached(fitted: Fitted, inputs: TrainingInputs, split: str) -> str | None:
    """Returns the folder of cached features that are the fitted network's; None for none."""
    best = fitted.history.best_epoch
    cached = inputs.training.frozen.features == "cached"
    if inputs.bottlenecks is None or not cached or best is None or best["phase"] != "frozen":
        return None  # phase `unfrozen` has changed the base
    return os.path.join(inputs.bottlenecks, f"Split-{split}")


def _on_bottlenecks(fitted: Fitted) -> Run:
    head = fitted.network.head
    shape = head.input_shape[1:]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def run(records: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        parsed = parse(records, features.BOTTLENECK, features.LABEL, shape=shape)
        found = parsed[features.BOTTLENECK]
        return head(found, training=False), pooled(found), parsed[features.LABEL]

    return run


def _on_pictures(fitted: Fitted, inputs: TrainingInputs, served: Served) -> Run:
    model = with_features(fitted.network.classifier)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def run(records: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        parsed = parse(records, *PICTURE)
        pixels = inputs.pixels(parsed[features.ENCODED])
        outputs = averaged(lambda batch: model(batch, training=False), pixels, served)
        return (*outputs, parsed[features.LABEL])

    return run
