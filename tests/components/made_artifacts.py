"""Artifacts of the pipeline's first steps, made by the steps' own code without TFX."""

from __future__ import annotations

import functools
from pathlib import Path

import apache_beam as beam
import tensorflow as tf
from apache_beam.options.pipeline_options import PipelineOptions
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_transform import beam as tft_beam
from tensorflow_transform.tf_metadata.dataset_metadata import DatasetMetadata

from components.image_example_gen import ingest, reading, sources
from components.settings.data import Data
from components.transform.preprocessing import preprocessing_fn

SCHEMA = Path(__file__).resolve().parents[2] / "components" / "schema" / "schema.pbtxt"


def write_transform_graph(
    folder: Path, backbone: str, size: list[int], fit: str = "stretch"
) -> str:
    """Does what TFX's Transform does with the static schema; gives the artifact's folder."""
    metadata = DatasetMetadata(text_format.Parse(SCHEMA.read_text(), schema_pb2.Schema()))
    custom_config = {"backbone": backbone, "size": size, "fit": fit}
    options = PipelineOptions(["--runner=FnApiRunner"])
    target = folder / "graph"
    with (
        beam.Pipeline(options=options) as pipeline,
        tft_beam.Context(temp_dir=str(folder / "temporary")),
    ):
        nothing = pipeline | beam.Create([])
        traced = (nothing, metadata) | tft_beam.AnalyzeDataset(
            functools.partial(preprocessing_fn, custom_config=custom_config)
        )
        _ = traced | tft_beam.WriteTransformFn(str(target))
    return str(target)


def examples(pictures: Path) -> list[bytes]:
    """Returns the serialized Example of each picture, in the ingest's order."""
    data = Data(source=str(pictures))
    files = sorted(sources.scan(data).files, key=ingest.mixed_position)
    read = [(file, reading.read(file, data)[0]) for file in files]
    return [ingest.example(file, accepted) for file, accepted in read if accepted]


def write_split(pictures: Path, folder: Path) -> str:
    """Writes all pictures as one split; gives its folder."""
    folder.mkdir()
    with tf.io.TFRecordWriter(str(folder / "pictures.tfrecord")) as writer:
        for example in examples(pictures):
            writer.write(example)
    return str(folder)
