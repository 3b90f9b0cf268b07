"""How long nodes will take, by what they took in earlier runs of a root."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from components.artifacts.report_files import CONFIGURATION
from pipeline.store import outputs
from pipeline.store.runs import Run

_ALWAYS_ALIKE = {"BaselineResolver", "ImportSchemaGen", "InfraValidator", "Pusher"}
"""Nodes whose time does not depend on the number of pictures."""


def by_node(runs: Iterable[Run], configuration: dict[str, Any], pictures: int) -> dict[str, float]:
    """Returns the seconds that nodes will take, of those that an earlier run like this one ran.

    The latest time of each node counts, times the ratio of pictures and, for the Trainer, of
    epochs. A run of another backbone or size says nothing.

    Args:
      runs: the earlier ones, the newest first.
      configuration: of the run to come, as reports keep it.
      pictures: of the run to come.
    """
    found: dict[str, float] = {}
    for run in runs:
        before = run.document(outputs.REPORT, CONFIGURATION)
        ingest = run.document(outputs.INGEST_REPORT, "report.json")
        if not before or not ingest or _network(before) != _network(configuration):
            continue
        ratio = pictures / max(ingest["accepted"], 1)
        for name, node in run.nodes.items():
            if node.state != "ran" or name in found:
                continue
            found[name] = node.seconds * (1.0 if name in _ALWAYS_ALIKE else ratio)
            if name == "Trainer":
                found[name] *= _epochs(configuration) / max(_epochs(before), 1)
    return found


def _network(configuration: dict[str, Any]) -> Any:
    return configuration["model"]["backbone"], configuration["image"]["size"]


def _epochs(configuration: dict[str, Any]) -> int:
    training = configuration["training"]
    return int(training["frozen"]["epochs"] + training["unfrozen"]["epochs"])
