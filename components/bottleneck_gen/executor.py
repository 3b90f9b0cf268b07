"""Runs the frozen base over the pictures that training and model selection read."""

from __future__ import annotations

import itertools
import math
import os
from pathlib import Path

import apache_beam as beam
from tfx.dsl.io import fileio

from components.artifacts import features, record_counts, saved_model, tfrecords
from components.artifacts import types as artifact_types
from components.artifacts.types import OWN_BASE
from components.bottleneck_gen.frozen_base import GRAPH, RunBase, let_go
from components.bottleneck_gen.portions import Portion, portions
from components.errors import ConfigError
from components.files import parcel
from components.files.paths import is_remote
from components.model import precision, warm_start
from components.model.chosen_weights import weights_file
from components.model.network import build_extractor
from components.model.transform_graph import Pixels
from components.pretrained.base import build_base
from components.pretrained.saved_weights import save_weights
from components.settings.base import AtLeastOne, Count, Section
from components.settings.model import Head, Model
from components.settings.training import Precision, Training
from components.step.artifacts import Artifacts
from components.step.base import BeamStepExecutor

_MAPS_MB = 4096  # of whole feature maps, where the configuration has no budget


class BottleneckSettings(Section):
    """The settings that decide the bottlenecks."""

    model: Model
    """Of its head, only the pooling counts."""
    size: list[AtLeastOne]
    """Height and width in pixels."""
    seed: Count
    """Of random weights."""
    cache_budget_mb: Count
    precision: Precision = "auto"
    """In what the base's layers compute."""

    @classmethod
    def of(cls, model: Model, size: list[int], training: Training) -> BottleneckSettings:
        """Returns what counts here of the configuration's sections."""
        head = Head(
            pooling=model.head.pooling, squeeze_excitation=model.head.squeeze_excitation and 1
        )
        budget = training.cache_budget_mb
        return cls(
            model=model.model_copy(update={"head": head}),
            size=size,
            # A pretrained base does not depend on it, and must not run again for it.
            seed=training.seed if model.weights is None else 0,
            cache_budget_mb=_MAPS_MB if budget is None else budget,
            precision=training.precision,
        )


class Executor(BeamStepExecutor[BottleneckSettings]):
    """Writes `Split-<split>/bottlenecks-*.tfrecord` for `train` and `eval`."""

    SETTINGS = BottleneckSettings

    def do(
        self,
        inputs: Artifacts,
        outputs: Artifacts,
        settings: BottleneckSettings,
        facts: dict[str, str],
    ) -> None:
        model, size = settings.model, settings.size
        bottlenecks, graph = outputs.one("bottlenecks"), inputs.uri("transform_graph")
        fileio.makedirs(bottlenecks.uri)
        shared = self.shared(bottlenecks)
        examples = {
            split: inputs.split("examples", split) for split in (features.TRAIN, features.EVAL)
        }
        _check_budget(model, size, examples, settings.cache_budget_mb)
        served = saved_model.served(inputs.maybe("baseline"))
        weights = weights_file(model, served)
        if weights is None:
            # Kept beside its outputs: the Trainer must continue with the same base.
            weights = Path(artifact_types.path_in(bottlenecks, OWN_BASE))
            train = examples[features.TRAIN]
            base = warm_start.own_base(
                model.backbone, Pixels(graph), train, settings.seed, served, model.features
            )
            save_weights(base, weights)
        chosen = precision.chosen(settings.precision, facts)
        unfinished = os.path.join(shared, "unfinished")
        fileio.makedirs(unfinished)
        network = {GRAPH: graph, weights.name: str(weights)}
        packed = parcel.pack(network, unfinished) if self.on_workers else ""
        run_base = RunBase(graph, model, size, str(weights), chosen, unfinished, packed)
        parts: dict[str, list[Portion]] = {}
        for split, pictures in examples.items():
            folder = os.path.join(shared, f"Split-{split}")
            fileio.makedirs(folder)
            parts[split] = portions(pictures, os.path.join(folder, "bottlenecks"))
        with self._make_beam_pipeline() as pipeline:
            _ = (
                pipeline
                | "Portions" >> beam.Create([*itertools.chain(*parts.values())])
                | "Spread" >> beam.Reshuffle()
                | "Run base" >> beam.ParDo(run_base)
            )
        let_go()
        fileio.rmtree(unfinished)
        for split in examples:
            written = _written(os.path.join(shared, f"Split-{split}"), parts[split])
            what = f"features for the pictures of the split {split}"
            record_counts.check(what, written, record_counts.of(inputs.one("examples"), split))


def _written(folder: str, parts: list[Portion]) -> int:
    """Returns the number of records that a split has; a worker made sure of each file's."""
    if not is_remote(folder):
        return tfrecords.count(folder)
    there = set(fileio.listdir(folder))
    return sum(part.records for part in parts if os.path.basename(part.target) in there)


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
