"""Runs the frozen base over the pictures that training and model selection read."""

from __future__ import annotations

import os
from typing import Any

import apache_beam as beam
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.types import Artifact, artifact_utils

from components import artifact_types, features
from components.artifact_types import RANDOM_BASE
from components.bottleneck_gen.frozen_base import RunBase
from components.random_base import build_random_base
from components.settings.model import Model
from components.transform_graph import Pixels
from components.weights_driver import weights_file

_BATCH = 32  # pictures in one forward pass


class Executor(base_beam_executor.BaseBeamExecutor):
    """Writes `Split-<split>/bottlenecks-*.tfrecord` for `train` and `eval`."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        model = Model.model_validate_json(exec_properties["network"])
        size = [exec_properties["height"], exec_properties["width"]]
        bottlenecks = artifact_utils.get_single_instance(output_dict["bottlenecks"])
        graph = artifact_utils.get_single_uri(input_dict["transform_graph"])
        weights = str(weights_file(model) or artifact_types.path_in(bottlenecks, RANDOM_BASE))
        if model.weights is None:
            # Kept beside what it gave: the Trainer must go on with the same one.
            train = artifact_utils.get_split_uri(input_dict["examples"], features.TRAIN)
            fileio.makedirs(bottlenecks.uri)
            base = build_random_base(model.backbone, Pixels(graph), train, exec_properties["seed"])
            base.save_weights(weights)
        run_base = RunBase(graph, model, size, weights)
        with self._make_beam_pipeline() as pipeline:
            for split in (features.TRAIN, features.EVAL):
                pictures = artifact_utils.get_split_uri(input_dict["examples"], split)
                target = os.path.join(bottlenecks.uri, f"Split-{split}", "bottlenecks")
                _ = (
                    pipeline
                    | f"Read {split}" >> beam.io.ReadFromTFRecord(os.path.join(pictures, "*"))
                    | f"Batch {split}" >> beam.BatchElements(_BATCH, _BATCH)
                    | f"Run base {split}" >> beam.ParDo(run_base)
                    | f"Write {split}"
                    >> beam.io.WriteToTFRecord(target, file_name_suffix=".tfrecord")
                )
