"""Prepares a network's scores for being served: calibrated, and judged certain."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from components.artifacts.calibration import (
    calibration_error,
    negative_log_likelihood,
    with_temperature,
)
from components.model.temperature import calibrated
from components.settings.export import Certain, Served
from components.trainer.certainty import NEVER, distance_threshold, score_threshold
from components.trainer.feature_distance import FeatureDistance
from components.trainer.temperature import fit_temperature
from serving.signatures import CERTAIN, DISTANCE, SCORES


@dataclasses.dataclass(frozen=True)
class Certainty:
    """Thresholds of score and distance that a picture must keep for its prediction to count."""

    distance: FeatureDistance
    least_score: float
    """Of the predicted class, calibrated."""
    most_distance: float
    tells_distance: bool = False

    def of(self, scores: tf.Tensor, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `certain`, bool [batch], and `distance`, float32 [batch], where it is told."""
        sure = tf.reduce_max(scores, axis=1) >= self.least_score
        distance = self.distance.of(features)
        told = {DISTANCE: distance} if self.tells_distance else {}
        return {CERTAIN: tf.logical_and(sure, distance <= self.most_distance), **told}


@dataclasses.dataclass(frozen=True)
class Scoring:
    """The function that is applied to scores and features in the exported graph."""

    temperature: float = 1.0
    certainty: Certainty | None = None

    def __call__(self, scores: tf.Tensor, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `scores` [batch, classes] and what is asked for of `certain` and `distance`."""
        found = {SCORES: calibrated(scores, self.temperature)}
        if self.certainty:
            found |= self.certainty.of(found[SCORES], features)
        return found


UNCHANGED = Scoring()


class Outputs(NamedTuple):
    """A network's outputs for the pictures of a split, and their true classes.

    Attributes:
      scores: [pictures, classes].
      features: [pictures, features], pooled.
      labels: [pictures] positions in the class list.
    """

    scores: np.ndarray
    features: np.ndarray
    labels: np.ndarray


def fit_scoring(
    served: Served, evaluated: Outputs, train: Outputs | None
) -> tuple[Scoring, dict[str, Any]]:
    """Fits temperature and thresholds on the `eval` split.

    Args:
      served: what is asked for.
      evaluated: outputs for the `eval` split.
      train: for pictures of the training split, where `certain` is asked for.

    Returns:
      The scoring, and what `score_facts` keeps of it.
    """
    scores, labels = evaluated.scores, evaluated.labels
    temperature = fit_temperature(scores, labels) if served.calibrate else 1.0
    scaled = with_temperature(scores, temperature)
    facts: dict[str, Any] = {
        "temperature": temperature,
        "eval": {
            "pictures": len(labels),
            "before": _measures(scores, labels),
            "after": _measures(scaled, labels),
        },
        "certain": None,
    }
    if served.certain is None or train is None:
        return Scoring(temperature), facts
    certainty, facts["certain"] = _certainty(
        served.certain, evaluated._replace(scores=scaled), train
    )
    return Scoring(temperature, certainty), facts


def _measures(scores: np.ndarray, labels: np.ndarray) -> dict[str, float] | None:
    if not len(labels):
        return None
    correct = scores.argmax(axis=1) == labels
    return {
        "calibration_error": calibration_error(scores.max(axis=1), correct),
        "log_loss": negative_log_likelihood(scores, labels),
    }


def _certainty(
    asked: Certain, evaluated: Outputs, train: Outputs
) -> tuple[Certainty, dict[str, Any]]:
    distance = FeatureDistance.fit(train.features, train.labels)
    far = distance.of(tf.constant(evaluated.features, tf.float32)).numpy()
    most = distance_threshold(far)
    near = far <= most
    # In single precision, in which the graph compares.
    score = evaluated.scores.max(axis=1).astype(np.float32)
    correct = evaluated.scores.argmax(axis=1) == evaluated.labels
    least = score_threshold(score[near], correct[near], asked.accuracy)
    answered = near & (score >= least)
    facts = {
        "accuracy": asked.accuracy,
        "least_score": None if least == NEVER else least,
        "most_distance": most if np.isfinite(most) else None,
        "answered": int(answered.sum()),
        "right": int((answered & correct).sum()),
        "pictures": len(score),
    }
    return Certainty(distance, least, most, asked.distance), facts


def with_features(classifier: keras.Model) -> keras.Model:
    """Returns the classifier with two outputs: scores, and the pooled features under its head."""
    image = keras.Input(classifier.input_shape[1:], name="image")
    features = classifier.get_layer("extractor")(image)
    return keras.Model(image, [classifier.get_layer("head")(features), pooled(features)])


def pooled(features: Any) -> Any:
    """Returns [batch, features] float32 of features that may have places: means over these."""
    features = keras.ops.cast(features, "float32")  # a mixed precision's are half as long
    if len(features.shape) == 2:
        return features
    return keras.ops.mean(features, axis=tuple(range(1, len(features.shape) - 1)))
