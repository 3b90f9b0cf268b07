"""Report: one page about the run, for people."""

from __future__ import annotations

import hashlib
import json

from tfx.dsl.components.base import base_component, executor_spec
from tfx.orchestration.portable import data_types
from tfx.types import BaseChannel, channel, component_spec, standard_artifacts

from components.artifacts.types import (
    ClassList,
    DataAcceptance,
    GateVerdict,
    IngestReport,
    LiteModel,
    Predictions,
)
from components.artifacts.types import Report as ReportArtifact
from components.report.environment import TEMPLATES
from components.report.executor import Executor
from components.report.times import node_times
from components.step.code_version import code_version
from components.step.driver import ExecutionDriver


class ReportSpec(component_spec.ComponentSpec):
    """What Report takes and gives."""

    PARAMETERS = {
        "configuration": component_spec.ExecutionParameter(type=str),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "class_list": component_spec.ChannelParameter(type=ClassList),
        "ingest_report": component_spec.ChannelParameter(type=IngestReport),
        "acceptance": component_spec.ChannelParameter(type=DataAcceptance),
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "transform_graph": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
        "model_run": component_spec.ChannelParameter(type=standard_artifacts.ModelRun),
        "predictions": component_spec.ChannelParameter(type=Predictions),
        "verdict": component_spec.ChannelParameter(type=GateVerdict),
        "infra_blessing": component_spec.ChannelParameter(
            type=standard_artifacts.InfraBlessing, optional=True
        ),
        "pushed_model": component_spec.ChannelParameter(
            type=standard_artifacts.PushedModel, optional=True
        ),
        "lite_model": component_spec.ChannelParameter(type=LiteModel, optional=True),
        "tuner_results": component_spec.ChannelParameter(
            type=standard_artifacts.TunerResults, optional=True
        ),
    }
    OUTPUTS = {"report": component_spec.ChannelParameter(type=ReportArtifact)}


class Driver(ExecutionDriver):
    """Looks up how long the nodes before this one took when they last ran."""

    def facts_of(self, execution_info: data_types.ExecutionInfo) -> dict[str, str]:
        run_id = execution_info.pipeline_run_id
        if run_id is None:
            return {"nodes": "[]"}
        with self._mlmd_connection as handle:
            return {"nodes": json.dumps(node_times(handle.store, run_id))}


class Report(base_component.BaseComponent):
    """Writes `report.html`, which needs no other file and no network.

    Beside it the model card, and the same figures for machines.
    """

    SPEC_CLASS = ReportSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
    DRIVER_CLASS = Driver

    def __init__(
        self,
        examples: BaseChannel,
        class_list: BaseChannel,
        ingest_report: BaseChannel,
        acceptance: BaseChannel,
        model: BaseChannel,
        transform_graph: BaseChannel,
        model_run: BaseChannel,
        predictions: BaseChannel,
        verdict: BaseChannel,
        configuration: str,
        infra_blessing: BaseChannel | None = None,
        pushed_model: BaseChannel | None = None,
        tuner_results: BaseChannel | None = None,
        lite_model: BaseChannel | None = None,
    ):
        """Makes the component.

        Args:
          examples: ingested pictures, of which mistakes in the `test` split are shown.
          class_list: the class names.
          ingest_report: how many pictures there are, and which were rejected.
          acceptance: what DataValidator found.
          model: the candidate, whose heat maps are drawn.
          transform_graph: gives its pixels.
          model_run: the training's history.
          predictions: the models' answers to the test pictures.
          verdict: the gate's.
          configuration: the run's whole configuration as JSON.
          infra_blessing: lets the page say whether a server could serve the candidate.
          pushed_model: lets the page say which version was pushed; left out, it says nothing of it.
          tuner_results: what Tuner tried, where it did.
          lite_model: the files for devices, where there are any.
        """
        super().__init__(
            spec=ReportSpec(
                examples=examples,
                class_list=class_list,
                ingest_report=ingest_report,
                acceptance=acceptance,
                model=model,
                transform_graph=transform_graph,
                model_run=model_run,
                predictions=predictions,
                verdict=verdict,
                infra_blessing=infra_blessing,
                pushed_model=pushed_model,
                tuner_results=tuner_results,
                lite_model=lite_model,
                configuration=configuration,
                code_version=f"{code_version(__name__)}-{_templates_version()}",
                report=channel.Channel(type=ReportArtifact),
            )
        )


def _templates_version() -> str:
    """Gives what changes with the templates, which no import leads to."""
    digest = hashlib.sha256()
    for template in sorted(TEMPLATES.rglob("*.j2")):
        digest.update(template.name.encode())
        digest.update(template.read_bytes())
    return digest.hexdigest()[:16]
