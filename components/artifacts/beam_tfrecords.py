"""TFRecord files in Beam pipelines; apart from `tfrecords`, which steps without Beam use, too."""

from __future__ import annotations

import os

import apache_beam as beam


def source(folder: str) -> beam.PTransform:
    """Returns Beam's transform that reads a split's records."""
    return beam.io.ReadFromTFRecord(os.path.join(folder, "*"))
