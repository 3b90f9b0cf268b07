"""The ids of a configuration's nodes. Imports nothing heavy: `definition` makes the nodes."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.config import Config


def node_ids(config: Config) -> list[str]:
    """Returns the ids of all nodes, none before one whose outputs it reads."""
    return [*_ids(config)]


def _ids(config: Config) -> Iterator[str]:
    yield from ("BaselineResolver", "ImportSchemaGen")  # read no output
    yield from ("ImageExampleGen", "StatisticsGen", "ExampleValidator", "DataValidator")
    yield "Transform"
    frozen = config.training.frozen
    if frozen.epochs and frozen.features == "cached":
        yield "BottleneckGen"
    if config.gate.golden is not None:
        yield "GoldenExampleGen"
    if config.tuner.trials:
        yield "Tuner"
    yield from ("Trainer", "Evaluator", "InfraValidator", "Pusher")
    if config.export.tflite:
        yield "LiteExport"
    yield "Report"
