"""The command `runs`: the runs of a root out of ML Metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from rich.console import Console
from rich.table import Table

from components.errors import ConfigError
from pipeline import runs


def list_runs(root: Path, as_json: bool) -> None:
    """Prints a line per run, the newest first.

    Raises:
      ConfigError: the folder is not a root of runs.
    """
    store = root / "metadata.sqlite"
    if not store.is_file():
        raise ConfigError(f"--root: {root} has no metadata.sqlite; no run was made there.")
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(store)
    rows = [_row(runs.read_run(connection, run_id)) for run_id in runs.run_ids(connection)]
    if as_json:
        print(json.dumps(rows))
        return
    table = Table("run", "accuracy", "verdict", "pushed version")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    Console(highlight=False).print(table)


def _row(run: runs.Run) -> dict[str, Any]:
    gate = run.document("GateVerdict", "verdict.json")
    accuracy = gate["metrics"]["candidate"]["accuracy"] if gate else None
    return {
        "run_id": run.run_id,
        "accuracy": accuracy and round(accuracy, 4),
        "verdict": run.verdict,
        "pushed_version": run.pushed_version,
    }
