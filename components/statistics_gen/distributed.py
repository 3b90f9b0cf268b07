"""StatisticsGen for data that lies on many machines: TFX's own, which counts on Beam's workers."""

from __future__ import annotations

import tensorflow_data_validation as tfdv
import tfx.components as tfx_components
from tfx.types import BaseChannel

from components.artifacts import features

COUNTED = (
    features.ENCODED,
    features.FORMAT,
    features.HEIGHT,
    features.WIDTH,
    features.CHANNELS,
    features.ASPECT_RATIO,
    features.LABEL,
)
"""What the schema names: statistics of names and hashes would list every picture."""


def make_distributed_statistics_gen(
    examples: BaseChannel, schema: BaseChannel
) -> tfx_components.StatisticsGen:
    """Gives a component whose statistics say what those of our own StatisticsGen say.

    It reads whole Examples in batches of up to 1,000, which workers of a cluster have memory for.
    """
    options = tfdv.StatsOptions(feature_allowlist=list(COUNTED))
    return tfx_components.StatisticsGen(examples=examples, schema=schema, stats_options=options)
