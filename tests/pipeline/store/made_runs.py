"""Runs as `pipeline.store.runs` reads them out of ML Metadata, made without one."""

from __future__ import annotations

import json
from pathlib import Path

from ml_metadata.proto import metadata_store_pb2

from pipeline.store import outputs
from pipeline.store.runs import Node, Run


def artifact(uri: Path | str, **properties: int | str) -> metadata_store_pb2.Artifact:
    """An artifact with these custom properties."""
    made = metadata_store_pb2.Artifact(uri=str(uri))
    for name, value in properties.items():
        if isinstance(value, int):
            made.custom_properties[name].int_value = value
        else:
            made.custom_properties[name].string_value = value
    return made


def judged_run(
    folder: Path, verdict: str, pushed: int | None, pusher: str = "ran", fault: str = ""
) -> Run:
    """A run up to Pusher: the gate wrote `verdict`, that version or none was pushed.

    With a `fault`, no server could serve the candidate.
    """
    row = {"metric": "accuracy", "slice": "overall", "found": 0.9, "needed": ">= 0.8"}
    metrics = {"pictures": 10, "accuracy": 0.9, "class_recall": {"cats": 0.8, "dogs": 1.0}}
    document = {
        "verdict": verdict,
        "gate": [{**row, "passed": verdict != "refused"}],
        "metrics": {"candidate": metrics},
    }
    (folder / "verdict.json").write_text(json.dumps(document))
    properties: dict[str, int | str] = {"pushed": int(pushed is not None)}
    if pushed is not None:
        properties["pushed_version"] = str(pushed)
    return Run(
        "run-1",
        {"Trainer": Node("cached", 0.0), "Pusher": Node(pusher, 1.2345)},
        {
            outputs.VERDICT: artifact(folder),
            outputs.INFRA_BLESSING: artifact(folder, blessed=int(not fault), reason=fault),
            outputs.PUSHED_MODEL: artifact(folder, **properties),
        },
    )
