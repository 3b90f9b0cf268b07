"""Bottleneck features made up on the spot, of classes that lie apart in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from components.artifacts import features
from components.artifacts import types as artifact_types

CLASSES = ["blue", "green", "red"]
SIZE = 1024  # of MobileNet's pooled features


def labels(pictures: int) -> list[str]:
    return [CLASSES[number % len(CLASSES)] for number in range(pictures)]


def rows(pictures: int, seed: int, scale: float = 1.0) -> np.ndarray:
    """[pictures, SIZE] float32: noise, raised where a picture's class has its place."""
    noise = np.random.default_rng(seed).normal(size=(pictures, SIZE))
    of_class = np.arange(SIZE) % len(CLASSES) == np.arange(pictures)[:, np.newaxis] % len(CLASSES)
    return ((noise + 0.15 * of_class) * scale).astype(np.float32)


def write(
    folder: Path, train: int, validation: int, scale: float = 1.0, probability: float = 1.0
) -> str:
    """Writes a Bottlenecks artifact's files; gives its folder."""
    for seed, (split, pictures) in enumerate({"train": train, "eval": validation}.items()):
        parent = folder / f"Split-{split}"
        parent.mkdir(parents=True)
        with tf.io.TFRecordWriter(str(parent / "bottlenecks.tfrecord")) as writer:
            for row, label in zip(rows(pictures, seed, scale), labels(pictures), strict=True):
                writer.write(_example(row, label, probability))
    return str(folder)


def class_list(folder: Path) -> artifact_types.ClassList:
    artifact = artifact_types.ClassList()
    artifact.uri = str(folder / "class_list")
    artifact_types.write(artifact, CLASSES)
    return artifact


def _example(row: np.ndarray, label: str, probability: float) -> bytes:
    sure = tf.train.FloatList(value=[probability])
    feature = {
        features.LABEL_PROBABILITY: tf.train.Feature(float_list=sure),
        features.BOTTLENECK: tf.train.Feature(float_list=tf.train.FloatList(value=row)),
        features.LABEL: tf.train.Feature(bytes_list=tf.train.BytesList(value=[label.encode()])),
    }
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()
