"""The values of 16-bit pictures, looked at before they are ingested: `image.range: data`."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

import apache_beam as beam

from components.image_example_gen import ingest, reading
from components.image_example_gen.sources import SourceFile
from components.settings.data import Data

SPANS = "spans"


def measure(pipeline: beam.Pipeline, files: Sequence[SourceFile], data: Data, folder: str) -> None:
    """Adds the steps that write a line with the values of each 16-bit picture."""
    _ = (
        pipeline
        | "Portions" >> beam.Create(ingest.write_portions(files, folder))
        | "Spread files" >> beam.Reshuffle()
        | "Files" >> beam.FlatMap(ingest.files_of)
        | "Measure" >> beam.Map(lambda file: reading.measure(file, data))
        | "Sixteen bit" >> beam.Filter(bool)
        | "Lines" >> beam.Map(json.dumps)
        | "Write spans" >> beam.io.WriteToText(os.path.join(folder, SPANS))
    )
