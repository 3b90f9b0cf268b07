"""Runs the frozen base over the pictures that training and model selection read."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import apache_beam as beam
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.types import Artifact, artifact_utils

from components.artifacts import features, saved_model, tfrecords
from components.artifacts import types as artifact_types
from components.artifacts.types import OWN_BASE
from components.bottleneck_gen.frozen_base import RunBase
from components.model import warm_start
from components.model.chosen_weights import weights_file
from components.model.network import build_extractor
from components.model.transform_graph import Pixels
from components.pretrained.base import build_base
from components.settings.model import Model
from components.step.errors import ConfigError

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
        examples = {
            split: artifact_utils.get_split_uri(input_dict["examples"], split)
            for split in (features.TRAIN, features.EVAL)
        }
        _check_budget(model, size, examples, exec_properties["budget_mb"])
        served = saved_model.served(input_dict.get("baseline", []))
        weights = weights_file(model, served)
        if weights is None:
            # Kept beside what it gave: the Trainer must go on with the same one.
            weights = Path(artifact_types.path_in(bottlenecks, OWN_BASE))
            fileio.makedirs(bottlenecks.uri)
            train, seed = examples[features.TRAIN], exec_properties["seed"]
            base = warm_start.own_base(model.backbone, Pixels(graph), train, seed, served)
            base.save_weights(weights)
        run_base = RunBase(graph, model, size, str(weights))
        with self._make_beam_pipeline() as pipeline:
            for split, pictures in examples.items():
                target = os.path.join(bottlenecks.uri, f"Split-{split}", "bottlenecks")
                _ = (
                    pipeline
                    | f"Read {split}" >> tfrecords.beam_source(pictures)
                    | f"Batch {split}" >> beam.BatchElements(_BATCH, _BATCH)
                    | f"Run base {split}" >> beam.ParDo(run_base)
                    | f"Write {split}" >> tfrecords.beam_sink(target)
                )


def _check_budget(model: Model, size: list[int], examples: dict[str, str], budget_mb: int) -> None:
    """Whole feature maps can take half a megabyte per picture; pooled ones are always written."""
    if model.head.pooling != "flatten" and model.head.squeeze_excitation is None:
        return
    shape = build_extractor(build_base(model.backbone, size, None), model.head).output_shape[1:]
    pictures = sum(tfrecords.count(folder) for folder in examples.values())
    needed = 4 * math.prod(shape) * pictures / 1e6
    if needed > budget_mb:
        raise ConfigError(
            f"training.cache_budget_mb: the features of {pictures} pictures take {needed:,.0f} MB "
            f"with this head ({math.prod(shape):,} numbers each), {budget_mb:,} are allowed. Raise "
            "it, set model.head.pooling=average, or training.frozen.features=end_to_end."
        )
