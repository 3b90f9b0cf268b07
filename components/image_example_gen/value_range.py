"""The values of 16-bit pictures, looked at before they are ingested: `image.range: data`."""

from __future__ import annotations

import json
import os

import apache_beam as beam

from components.image_example_gen import reading
from components.image_example_gen.sources import SourceFile
from components.settings.data import Data

SPANS = "spans"


def measure(pipeline: beam.Pipeline, files: list[SourceFile], data: Data, folder: str) -> None:
    """Adds the steps that write a line with the values of each 16-bit picture."""
    _ = (
        pipeline
        | "Files" >> beam.Create([file.as_row() for file in files])
        | "Spread files" >> beam.Reshuffle()
        | "Measure" >> beam.Map(lambda row: reading.measure(SourceFile.of_row(row), data))
        | "Sixteen bit" >> beam.Filter(bool)
        | "Lines" >> beam.Map(json.dumps)
        | "Write spans" >> beam.io.WriteToText(os.path.join(folder, SPANS))
    )
