"""TFRecord files in Beam pipelines; apart from `tfrecords`, which steps without Beam use, too."""

from __future__ import annotations

import os

import apache_beam as beam

from components.artifacts import tfrecords
from components.files.paths import is_remote


def source(folder: str) -> beam.PTransform:
    """Returns Beam's transform that reads a split's records, file by file."""
    if is_remote(folder):  # Beam's own file system for the store need not be installed
        return _Streamed(tfrecords.files(folder))
    return beam.io.ReadFromTFRecord(os.path.join(folder, "*"))


class _Streamed(beam.PTransform):
    def __init__(self, files: list[str]):
        super().__init__()
        self._files = files

    def expand(self, start: beam.Pipeline) -> beam.PCollection:
        return (
            start
            | "Files" >> beam.Create(self._files)
            | "Spread" >> beam.Reshuffle()
            | "Records" >> beam.FlatMap(tfrecords.records_of)
        )
