"""Runs the ingest's executor without a pipeline around it, and reads what it wrote."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import tensorflow as tf
from tfx.dsl.components.base import base_beam_executor
from tfx.types import Artifact, artifact_utils, standard_artifacts

from components.artifacts import features
from components.artifacts import types as artifact_types
from components.artifacts.tfrecords import read_records
from components.image_example_gen.executor import Executor
from components.settings.beam_options import pipeline_arguments
from components.settings.data import Data
from components.settings.runtime import Runtime
from tests.components.made_step import execute


@dataclasses.dataclass(frozen=True)
class Ingested:
    """The outputs of an ingest."""

    report: dict[str, Any]
    classes: list[str]
    examples: dict[str, list[dict[str, Any]]]  # by split, in the order in which they are read
    folder: str  # of the ingest report, which the next one builds on

    @property
    def known(self) -> dict[str, list[tuple[str, str]]]:
        """By split, the hash and label of each Example, in order."""
        return {
            split: [(row[features.SHA256], row[features.LABEL]) for row in rows]
            for split, rows in self.examples.items()
        }


def ingest(
    folder: Path,
    data: Data,
    beam: list[str] | None = None,
    previous: str = "",
    examples: Artifact | None = None,
) -> Ingested:
    """Runs the executor, with these arguments of Beam or the default ones; writes to `folder`.

    It builds on the ingest whose report lies in the folder `previous`, and fills `examples`.
    """
    types = {
        "examples": standard_artifacts.Examples,
        "class_list": artifact_types.ClassList,
        "ingest_report": artifact_types.IngestReport,
    }
    outputs = {}
    for name, artifact_type in types.items():
        artifact = artifact_type()
        artifact.uri = str(folder / "ImageExampleGen" / name / "1")
        outputs[name] = [artifact]
    if examples:
        examples.uri = outputs["examples"][0].uri
        outputs["examples"] = [examples]
    context = base_beam_executor.BaseBeamExecutor.Context(
        beam_pipeline_args=list(beam or pipeline_arguments(Runtime().beam)),
        tmp_dir=str(folder),
        unique_id="1",
    )
    execute(Executor(context), data, {}, outputs, fingerprint="0", previous=previous)
    return Ingested(
        artifact_types.read(outputs["ingest_report"][0]),
        artifact_types.read(outputs["class_list"][0]),
        {
            split: _examples(artifact_utils.get_split_uri(outputs["examples"], split))
            for split in features.SPLITS
        },
        outputs["ingest_report"][0].uri,
    )


def _examples(folder: str) -> list[dict[str, Any]]:
    return [_values(record) for record in read_records(folder).as_numpy_iterator()]


def _values(record: bytes) -> dict[str, Any]:
    """Texts as str, pixels as bytes."""
    values: dict[str, Any] = {}
    for key, feature in tf.train.Example.FromString(record).features.feature.items():
        value = getattr(feature, feature.WhichOneof("kind")).value[0]
        text = isinstance(value, bytes) and key != features.ENCODED
        values[key] = value.decode() if text else value
    return values
