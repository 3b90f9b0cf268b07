"""Hands TFX's Transform no pictures: nothing of the graph is computed over them."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from typing import Any

import apache_beam as beam
from tfx.components.transform import executor
from tfx.types import Artifact, artifact_utils

from components.step.artifacts import ArtifactLists


class Executor(executor.Executor):
    """Makes the graph of the schema, on this machine.

    TFX would read all of the train split: it takes the check of a picture's size, which TensorFlow
    runs as a control dependency, for something to compute over the data.
    """

    def Do(
        self, input_dict: ArtifactLists, output_dict: ArtifactLists, exec_properties: dict[str, Any]
    ) -> None:
        with tempfile.TemporaryDirectory(prefix="transfer-pipeline-") as folder:
            examples = [_emptied(each, folder) for each in input_dict["examples"]]
            super().Do({**input_dict, "examples": examples}, output_dict, exec_properties)

    def _make_beam_pipeline(self) -> beam.Pipeline:
        return beam.Pipeline("FnApiRunner")


def _emptied(examples: Artifact, folder: str) -> Artifact:
    """Returns Examples of the same kind and splits without a record, in a local folder."""
    empty = copy.deepcopy(examples)
    empty.uri = folder
    for split in artifact_utils.decode_split_names(examples.split_names):
        place = Path(artifact_utils.get_split_uri([empty], split))
        place.mkdir(parents=True)
        (place / "none.tfrecord").touch()
    return empty
