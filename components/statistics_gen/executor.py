"""Counts what the schema names, and of the encoded pictures their sizes alone."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import tensorflow as tf
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2
from tfx.components.statistics_gen import executor as tfx_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import io_utils

from components.artifacts import features, record_counts
from components.artifacts.examples import parse
from components.artifacts.tfrecords import read_records
from components.settings.base import Section
from components.step import progress
from components.step.artifacts import Artifacts
from components.step.base import BeamStepExecutor

_STATISTICS = "FeatureStats.pb"  # the name that TFX's readers expect
_BATCH = 1024


COUNTED = (
    features.ENCODED,
    features.FORMAT,
    features.HEIGHT,
    features.WIDTH,
    features.CHANNELS,
    features.ASPECT_RATIO,
    features.LABEL,
)
"""The features that the schema names: statistics of names and hashes would list every picture."""


class StatisticsSettings(Section):
    """The place where statistics are counted."""

    distributed: bool
    """By TFX's executor on Beam's workers, where these are other machines. It reads whole Examples
    in batches of up to 1,000, which workers of a cluster have memory for."""


class Executor(BeamStepExecutor[StatisticsSettings]):
    """Writes `Split-<split>/FeatureStats.pb`."""

    SETTINGS = StatisticsSettings

    def do(
        self,
        inputs: Artifacts,
        outputs: Artifacts,
        settings: StatisticsSettings,
        facts: dict[str, str],
    ) -> None:
        if settings.distributed:
            self._count_on_workers(inputs, outputs)
        else:
            _count_here(inputs, outputs)
        statistics = outputs.one("statistics")
        for split in artifact_utils.decode_split_names(statistics.split_names):
            place = artifact_utils.get_split_uri([statistics], split)
            with fileio.open(os.path.join(place, _STATISTICS), "rb") as file:
                counted = statistics_pb2.DatasetFeatureStatisticsList.FromString(file.read())
            what = f"pictures in the statistics of the split {split}"
            needed = record_counts.of(inputs.one("examples"), split)
            record_counts.check(what, counted.datasets[0].num_examples, needed)

    def _count_on_workers(self, inputs: Artifacts, outputs: Artifacts) -> None:
        options = tfdv.StatsOptions(feature_allowlist=list(COUNTED))
        properties = {
            standard_component_specs.STATS_OPTIONS_JSON_KEY: options.to_json(),
            standard_component_specs.EXCLUDE_SPLITS_KEY: "[]",
        }
        tfx_executor.Executor(self._context).Do(inputs, outputs, properties)


def _count_here(inputs: Artifacts, outputs: Artifacts) -> None:
    folder = inputs.uri("schema")
    schema = io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(folder))
    statistics = outputs.one("statistics")
    statistics.split_names = artifact_utils.encode_split_names(list(features.SPLITS))
    for split in features.SPLITS:
        progress.report(f"{split} split")
        counted = of_pictures(inputs.split("examples", split), schema)
        target = artifact_utils.get_split_uri([statistics], split)
        fileio.makedirs(target)
        with fileio.open(os.path.join(target, _STATISTICS), "wb") as file:
            file.write(counted.SerializeToString())


def of_pictures(
    folder: str, schema: schema_pb2.Schema
) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Returns TFDV's statistics of one split.

    Pixels are dropped as they are read; what stays in memory is some 100 bytes per picture.

    Args:
      folder: TFRecords of Examples.
      schema: its features are counted; of `image/encoded` the number of bytes.
    """
    columns = _columns(folder, [feature.name for feature in schema.feature])
    sizes = columns.pop(features.ENCODED)
    counted = schema_pb2.Schema()
    counted.CopyFrom(schema)
    counted.feature.remove(next(f for f in schema.feature if f.name == features.ENCODED))
    statistics = tfdv.generate_statistics_from_dataframe(
        pd.DataFrame(columns), tfdv.StatsOptions(schema=counted), n_jobs=1
    )
    statistics.datasets[0].features.append(_bytes_statistics(sizes))
    return statistics


def _columns(folder: str, names: list[str]) -> dict[str, np.ndarray]:
    """Reads one value per picture of each feature; of `image/encoded`, its number of bytes."""

    @tf.autograph.experimental.do_not_convert
    def cheap(record: tf.Tensor) -> dict[str, tf.Tensor]:
        picture = parse(record, *names)
        return {**picture, features.ENCODED: tf.strings.length(picture[features.ENCODED])}

    batches = list(read_records(folder).map(cheap).batch(_BATCH).as_numpy_iterator())
    return {name: np.concatenate([batch[name] for batch in batches]) for name in names}


def _bytes_statistics(sizes: np.ndarray) -> statistics_pb2.FeatureNameStatistics:
    """Returns what TFDV computes for a feature that holds one byte string in every Example."""
    statistics = statistics_pb2.FeatureNameStatistics(
        type=statistics_pb2.FeatureNameStatistics.BYTES
    )
    statistics.path.step.append(features.ENCODED)
    counted = statistics.bytes_stats
    counted.common_stats.num_non_missing = counted.common_stats.tot_num_values = len(sizes)
    counted.common_stats.min_num_values = counted.common_stats.max_num_values = 1
    counted.common_stats.avg_num_values = 1
    counted.min_num_bytes, counted.max_num_bytes = sizes.min(), sizes.max()
    counted.avg_num_bytes = sizes.mean()
    return statistics
