"""Beam steps that read pictures into `tf.train.Example`s and keep a ledger of every file."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import apache_beam as beam
import tensorflow as tf

from components import features
from components.image_example_gen.sources import SourceFile
from components.image_example_gen.splits import split_key, split_of
from components.settings import Data
from serving.pictures import Picture, PictureError, canonical

LEDGER = "ledger"


class ReadPictures(beam.DoFn):
    """Turns a `SourceFile` into a serialized Example for its split, and a row for the ledger.

    A ledger row is {"file", "label", "split"} of an accepted picture, {"file", "label", "reason"}
    of a rejected one.
    """

    def __init__(self, data: Data):
        self._data = data

    def process(self, element: SourceFile) -> Iterable[Any]:
        row = {"file": element.name, "label": element.label}
        try:
            content = Path(element.path).read_bytes()
            picture = canonical(content, max_pixels=self._data.max_pixels)
        except (PictureError, OSError) as error:
            yield beam.pvalue.TaggedOutput(LEDGER, {**row, "reason": _reason(error)})
            return
        sha256 = hashlib.sha256(content).hexdigest()
        split = split_of(split_key(element.name, sha256, self._data), self._data.splits)
        yield beam.pvalue.TaggedOutput(split, _example(element, picture, sha256))
        yield beam.pvalue.TaggedOutput(LEDGER, {**row, "split": split})


def in_mixed_order(files: list[SourceFile]) -> list[SourceFile]:
    """Gives the files in an order that mixes the classes, the same for the same names.

    A reader that shuffles within a window sees all classes in each of them.
    """
    return sorted(files, key=lambda file: hashlib.sha256(file.name.encode()).digest())


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"can't be read: {error.strerror or error}"
    return str(error)


def _example(file: SourceFile, picture: Picture, sha256: str) -> bytes:
    values: dict[str, bytes | int] = {
        features.ENCODED: picture.encoded,
        features.FORMAT: picture.format.encode(),
        features.HEIGHT: picture.height,
        features.WIDTH: picture.width,
        features.CHANNELS: picture.channels,
        features.FILENAME: file.name.encode(),
        features.SHA256: sha256.encode(),
        features.LABEL: file.label.encode(),
    }
    feature = {key: _feature(value) for key, value in values.items()}
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def _feature(value: bytes | int) -> tf.train.Feature:
    if isinstance(value, bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))


@dataclasses.dataclass(frozen=True)
class Ledger:
    """What became of every file."""

    accepted: list[dict[str, str]]
    rejected: list[dict[str, str]]

    @classmethod
    def of(cls, rows: Iterable[dict[str, str]]) -> Ledger:
        """Sorts ledger rows by file name and tells accepted from rejected."""
        ordered = sorted(rows, key=lambda row: row["file"])
        accepted = [row for row in ordered if "split" in row]
        return cls(accepted, [row for row in ordered if "reason" in row])

    def counts(self, classes: list[str]) -> dict[str, dict[str, int]]:
        """Gives the number of accepted pictures by split and class."""
        counts = {split: dict.fromkeys(classes, 0) for split in features.SPLITS}
        for row in self.accepted:
            counts[row["split"]][row["label"]] += 1
        return counts
