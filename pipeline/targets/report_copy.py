"""Copies a run's report out of the root, for a scheduler that shows it on pages of its own."""

from __future__ import annotations

import os
from pathlib import Path

from tfx.dsl.io import fileio

from components.errors import UserError
from pipeline import node_runner
from pipeline.store import outputs, runs


class NoReport(UserError):
    """The run left no report."""


def copy_report(compiled_file: str | Path, name: str, folder: Path) -> None:
    """Copies the page, the model card and the metrics of a run into a local folder.

    Args:
      compiled_file: the run's compiled pipeline, which names the metadata store.
      name: of the run, as `runs.find` takes it.
      folder: is made where missing.

    Raises:
      ConfigError: the pipeline has no such run, or several whose ids begin so.
      NoReport: the run has not come as far as its report.
    """
    compiled = node_runner.read_compiled(compiled_file)
    run = runs.find(node_runner.connection(compiled), name, compiled.pipeline_info.id)
    made = run.outputs.get(outputs.REPORT)
    if made is None:
        raise NoReport(
            f"Run {run.run_id} has no report in its metadata: it ended before. Name another run."
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name in fileio.listdir(made.uri):
        fileio.copy(os.path.join(made.uri, name), str(folder / name), overwrite=True)
