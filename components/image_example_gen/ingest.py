"""The Beam step that turns pictures into `tf.train.Example`s and keeps a ledger of every file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import tensorflow as tf

from components import features
from components.image_example_gen import reading
from components.image_example_gen.sources import SourceFile
from components.settings import Data

LEDGER = "ledger"


class ReadPictures(beam.DoFn):
    """Turns a `SourceFile` into a serialized Example for its split, and a row for the ledger."""

    def __init__(self, data: Data):
        self._data = data

    def process(self, element: SourceFile) -> Iterable[Any]:
        accepted, row = reading.read(element, self._data)
        if accepted:
            yield beam.pvalue.TaggedOutput(accepted.split, _example(element, accepted))
        yield beam.pvalue.TaggedOutput(LEDGER, row)


def in_mixed_order(files: list[SourceFile]) -> list[SourceFile]:
    """Gives the files in an order that mixes the classes, the same for the same names.

    A reader that shuffles within a window sees all classes in each of them.
    """
    return sorted(files, key=lambda file: hashlib.sha256(file.name.encode()).digest())


def _example(file: SourceFile, accepted: reading.Accepted) -> bytes:
    picture = accepted.picture
    values: dict[str, bytes | int | float] = {
        features.ENCODED: picture.encoded,
        features.FORMAT: picture.format.encode(),
        features.HEIGHT: picture.height,
        features.WIDTH: picture.width,
        features.CHANNELS: picture.channels,
        features.ASPECT_RATIO: picture.width / picture.height,
        features.FILENAME: file.name.encode(),
        features.SHA256: accepted.sha256.encode(),
        features.LABEL: file.label.encode(),
    }
    feature = {key: _feature(value) for key, value in values.items()}
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def _feature(value: bytes | int | float) -> tf.train.Feature:
    if isinstance(value, bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
    if isinstance(value, float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
