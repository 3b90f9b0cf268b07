"""How far a picture's features lie from those of the training pictures.

Mahalanobis distance to the nearest class mean with one covariance for all classes (Lee et al. 2018,
arXiv 1807.03888), on features of length 1 (Mueller and Hein 2025,
"Mahalanobis++"). Only along the
main axes of the training features is the covariance their own; along all others it is one number,
as in probabilistic PCA (Tipping and Bishop 1999): thousands of features need neither a huge matrix
nor as many pictures.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf

_AXES = 64
_PICTURES_PER_AXIS = 4  # at least; a covariance of more axes would be noise
_OVERSAMPLED, _ITERATIONS = 10, 4  # of the randomised search for axes
_LEAST_VARIANCE = 1e-12
_SHORTEST = 1e-6  # length of a feature vector


@dataclasses.dataclass(frozen=True)
class FeatureDistance:
    """The training features, as far as distances need them.

    Attributes:
      mean: [features] of all training pictures.
      axes: [features, axes] orthonormal.
      whitening: [axes, axes]: positions on the axes -> uncorrelated ones of variance 1.
      class_means: [classes, axes] of each class that has pictures, whitened.
      variance: of each direction beyond the axes.
    """

    mean: np.ndarray
    axes: np.ndarray
    whitening: np.ndarray
    class_means: np.ndarray
    variance: float

    @classmethod
    def fit(cls, features: np.ndarray, labels: np.ndarray) -> FeatureDistance:
        """Measures the training features.

        Args:
          features: [pictures, features].
          labels: [pictures] positions of their classes.
        """
        features = _unit(features)
        mean = features.mean(axis=0)
        centred = features - mean
        axes = _main_axes(centred)
        placed = centred @ axes
        rest = max(centred.shape[1] - axes.shape[1], 1)
        beyond = (np.square(centred).sum() - np.square(placed).sum()) / (len(centred) * rest)
        names, position = np.unique(labels, return_inverse=True)
        means = np.stack([placed[position == index].mean(axis=0) for index in range(len(names))])
        whitening = _whitening(placed - means[position], len(placed) - len(names))
        return cls(mean, axes, whitening, means @ whitening, max(float(beyond), _LEAST_VARIANCE))

    def of(self, features: tf.Tensor) -> tf.Tensor:
        """Returns the squared distances [batch] of features [batch, features], in TensorFlow."""
        mean, axes, whitening, class_means = (
            tf.constant(each, tf.float32)
            for each in (self.mean, self.axes, self.whitening, self.class_means)
        )
        length = tf.norm(features, axis=1, keepdims=True)
        centred = features / tf.maximum(length, _SHORTEST) - mean
        placed = centred @ axes
        differences = (placed @ whitening)[:, tf.newaxis] - class_means
        nearest = tf.reduce_min(tf.reduce_sum(differences**2, axis=2), axis=1)
        beyond = tf.reduce_sum((centred - tf.matmul(placed, axes, transpose_b=True)) ** 2, axis=1)
        return nearest + beyond / self.variance


def _unit(features: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.maximum(length, _SHORTEST), np.float32)


def _main_axes(centred: np.ndarray) -> np.ndarray:
    """Returns the main axes, the first ones first (Halko et al. 2011, randomised, with a seed)."""
    pictures, features = centred.shape
    count = max(1, min(_AXES, pictures // _PICTURES_PER_AXIS, features))
    drawn = np.random.default_rng(0).normal(size=(features, min(count + _OVERSAMPLED, features)))
    basis = np.asarray(drawn, np.float32)
    for _ in range(_ITERATIONS):
        basis, _triangle = np.linalg.qr(centred.T @ (centred @ basis))
    _left, _values, right = np.linalg.svd(centred @ basis, full_matrices=False)
    axes: np.ndarray = basis @ right.T
    return axes[:, :count]


def _whitening(within: np.ndarray, freedom: int) -> np.ndarray:
    """Returns [axes, axes] by which deviations from class means become uncorrelated, variance 1.

    Their covariance is shrunk towards a sphere: Oracle Approximating Shrinkage (Chen et al. 2010).
    """
    count = within.shape[1]
    covariance = within.T.astype(np.float64) @ within / max(freedom, 1)
    mean, squares = np.trace(covariance) / count, np.square(covariance).sum()
    over = (max(freedom, 1) + 1 - 2 / count) * (squares - count * mean**2)
    under = (1 - 2 / count) * squares + (count * mean) ** 2
    part = min(1.0, under / over) if over > 0 else 1.0
    values, vectors = np.linalg.eigh((1 - part) * covariance + part * mean * np.eye(count))
    return np.asarray(vectors / np.sqrt(np.maximum(values, _LEAST_VARIANCE)))
