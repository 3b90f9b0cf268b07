"""Report: one page about the run, for people."""

from __future__ import annotations

import json

from tfx.orchestration.portable.data_types import ExecutionInfo
from tfx.types import standard_artifacts

from components.artifacts import types as artifact_types
from components.report.executor import Executor
from components.report.times import node_times
from components.step.base import Step
from components.step.driver import StepDriver


class Driver(StepDriver):
    """Looks up how long the nodes before this one took when they last ran."""

    def facts_of(self, execution_info: ExecutionInfo) -> dict[str, str]:
        run_id = execution_info.pipeline_run_id
        if run_id is None:
            return {"nodes": "[]"}
        with self._mlmd_connection as handle:
            return {"nodes": json.dumps(node_times(handle.store, run_id))}


class Report(Step):
    """Writes `report.html`, which needs no other file and no network.

    Beside it the model card, and the same metrics for machines.
    """

    EXECUTOR = Executor
    DRIVER_CLASS = Driver
    FILES = "*.j2"
    LIBRARIES = (
        *("Jinja2", "keras", "matplotlib", "numpy", "Pillow", "tensorflow"),
        "tensorflow-transform",
    )
    INPUTS = {
        "examples": standard_artifacts.Examples,  # mistakes in the `test` split are shown
        "class_list": artifact_types.ClassList,
        "ingest_report": artifact_types.IngestReport,  # how many pictures; which were rejected
        "acceptance": artifact_types.DataAcceptance,  # what DataValidator found
        "model": standard_artifacts.Model,  # the candidate, whose heat maps are drawn
        "transform_graph": standard_artifacts.TransformGraph,  # makes its pixels
        "model_run": standard_artifacts.ModelRun,  # the training's history
        "predictions": artifact_types.Predictions,  # the models' predictions for the test pictures
        "verdict": artifact_types.GateVerdict,
    }
    OPTIONAL_INPUTS = {
        "bottlenecks": artifact_types.Bottlenecks,  # the features that labels are held against
        "infra_blessing": standard_artifacts.InfraBlessing,  # whether a server could serve it
        "pushed_model": standard_artifacts.PushedModel,  # the version; without it, not mentioned
        "lite_model": artifact_types.LiteModel,  # the files for devices, where there are any
        "tuner_results": standard_artifacts.TunerResults,  # what Tuner tried, where it did
    }
    OUTPUTS = {"report": artifact_types.Report}
