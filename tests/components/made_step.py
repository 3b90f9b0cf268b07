"""Runs a step's driver and executor without a pipeline around them, as the launcher does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tfx.orchestration.portable.data_types import ExecutionInfo
from tfx.proto.orchestration import pipeline_pb2
from tfx.types import Artifact

from components.settings.base import Section
from components.step.base import SETTINGS, StepExecutor
from components.step.driver import step_of


def about_to_run(step: type, settings: Section | None = None, **known: Any) -> ExecutionInfo:
    """Returns what the launcher knows of a node of this step when its driver runs."""
    node = pipeline_pb2.PipelineNode()
    node.node_info.type.name = f"{step.__module__}.{step.__qualname__}"
    properties = known.pop("exec_properties", {})
    if settings is not None:
        properties = {SETTINGS: settings.model_dump_json(), **properties}
    return ExecutionInfo(pipeline_node=node, exec_properties=properties, **known)


def driven(execution_info: ExecutionInfo) -> dict[str, str]:
    """Returns the facts that the step's driver finds."""
    found = step_of(execution_info).DRIVER_CLASS(None).run(execution_info).exec_properties
    return {key: value.string_value for key, value in found.items()}


def execute(
    executor: StepExecutor[Any],
    settings: Section,
    inputs: dict[str, list[Artifact]],
    outputs: dict[str, Artifact] | dict[str, list[Artifact]],
    **facts: str,
) -> None:
    """Runs the executor with the settings, and with facts as its driver finds them."""
    made = {
        key: list(some) if isinstance(some, Sequence) else [some] for key, some in outputs.items()
    }
    executor.Do(inputs, made, {SETTINGS: settings.model_dump_json(), **facts})
