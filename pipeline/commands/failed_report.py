"""The page of a run that failed: its results until then, and why it ended.

Such a run never reaches the component Report, so its page is no artifact; it lies in the root.
"""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

from tfx.types import Artifact, standard_artifacts

from components.artifacts import features
from components.artifacts import types as artifact_types
from components.artifacts.report_files import REPORT_PAGE
from components.report import gather, page_data, picture_records
from components.report.executor import write
from pipeline.config import Config
from pipeline.launch import local_copies
from pipeline.store import outputs
from pipeline.store.root import failed_folder
from pipeline.store.runs import Run

_INPUTS: dict[str, tuple[outputs.Output, type[Artifact]]] = {
    "examples": (outputs.EXAMPLES, standard_artifacts.Examples),
    "class_list": (outputs.CLASS_LIST, artifact_types.ClassList),
    "ingest_report": (outputs.INGEST_REPORT, artifact_types.IngestReport),
    "acceptance": (outputs.ACCEPTANCE, artifact_types.DataAcceptance),
    "tuner_results": (outputs.TUNER_RESULTS, standard_artifacts.TunerResults),
    "model_run": (outputs.MODEL_RUN, standard_artifacts.ModelRun),
    "predictions": (outputs.PREDICTIONS, artifact_types.Predictions),
    "verdict": (outputs.VERDICT, artifact_types.GateVerdict),
    "infra_blessing": (outputs.INFRA_BLESSING, standard_artifacts.InfraBlessing),
}


def write_failed(config: Config, run: Run, error: str) -> Path | None:
    """Writes the page and returns its path; None where even that failed, which the log shows.

    Args:
      config: the run's configuration.
      run: as far as it came.
      error: why it failed.
    """
    folder = failed_folder(config.root, run.run_id)
    try:
        _write(config, run, error, folder)
    except Exception:  # whatever it is, it must not hide why the run failed
        logging.exception("No page could be made of the failed run")
        return None
    return folder / REPORT_PAGE


def _write(config: Config, run: Run, error: str, folder: Path) -> None:
    with local_copies.readable(run, config.pipeline_root, _INPUTS) as inputs:
        found = _gathered(config, run, error, inputs)
    write(found, str(folder))


def _gathered(config: Config, run: Run, error: str, inputs: dict[str, Artifact]) -> page_data.Run:
    nodes = [
        {"node": name, "seconds": round(node.seconds, 1)}
        for name, node in run.nodes.items()
        if node.state != "skipped"
    ]
    found = gather.gather(
        inputs,
        configuration=config.reported,
        run_id=run.run_id,
        error=error,
        nodes=nodes,
    )
    if found.verdict:
        shown = picture_records.encoded(inputs, found.shown_files, (features.TEST,))
        found = dataclasses.replace(found, pictures=shown)
    return found
