"""BaselineResolver: the model that the push directory serves now.

The push directory is the truth, not the metadata: TFX's latest-blessed strategy knows neither of
rollbacks nor of failed pushes, and a new pipeline root would find no baseline at all.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import Artifact, artifact_utils, channel, component_spec, standard_artifacts

from components.artifacts import saved_model
from components.artifacts.types import SERVED_DIGEST, SERVED_VERSION
from components.step.code_version import code_version
from components.step.driver import FactsDriver
from serving import versions


class BaselineResolverSpec(component_spec.ComponentSpec):
    """What BaselineResolver takes and gives."""

    PARAMETERS = {
        "push_directory": component_spec.ExecutionParameter(type=str),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    INPUTS: dict[str, Any] = {}
    OUTPUTS = {"model": component_spec.ChannelParameter(type=standard_artifacts.Model)}


class Driver(FactsDriver):
    """Looks which version is served, so that another one makes another baseline."""

    def facts(self, exec_properties: dict[str, Any]) -> dict[str, str]:
        served = versions.served(Path(exec_properties["push_directory"]))
        if served is None:
            return {SERVED_VERSION: "", SERVED_DIGEST: ""}
        return {SERVED_VERSION: served.name, SERVED_DIGEST: saved_model.digest(served)}


class Executor(base_executor.BaseExecutor):
    """Copies the served version, so that a push or rollback meanwhile does not disturb the gate."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        baseline = artifact_utils.get_single_instance(output_dict["model"])
        for key in (SERVED_VERSION, SERVED_DIGEST):
            baseline.set_string_custom_property(key, exec_properties[key])
        if exec_properties[SERVED_VERSION]:
            served = Path(exec_properties["push_directory"], exec_properties[SERVED_VERSION])
            shutil.copytree(served, saved_model.serving_dir(baseline.uri))


class BaselineResolver(base_component.BaseComponent):
    """Gives a Model artifact with the served SavedModel; an empty one where none is served."""

    SPEC_CLASS = BaselineResolverSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
    DRIVER_CLASS = Driver

    def __init__(self, push_directory: str):
        """Makes the component.

        Args:
          push_directory: the folder that TensorFlow Serving polls.
        """
        super().__init__(
            spec=BaselineResolverSpec(
                push_directory=push_directory,
                code_version=code_version(__name__),
                model=channel.Channel(type=standard_artifacts.Model),
            )
        )
