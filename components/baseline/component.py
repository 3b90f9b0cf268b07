"""BaselineResolver: the model that the push directory serves now.

The push directory is the truth, not the metadata: TFX's latest-blessed strategy knows neither of
rollbacks nor of failed pushes, and a new pipeline root would find no baseline at all.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tfx.orchestration.portable.data_types import ExecutionInfo
from tfx.types import standard_artifacts

from components.artifacts import saved_model
from components.artifacts.types import KEPT_VERSIONS, SERVED_DIGEST, SERVED_VERSION
from components.settings.base import Section
from components.step.artifacts import Artifacts
from components.step.base import Step, StepExecutor, settings_of
from components.step.driver import StepDriver
from serving import versions


class BaselineSettings(Section):
    """The place where a baseline is looked for."""

    push_directory: str
    """The folder that TensorFlow Serving polls."""


class Driver(StepDriver):
    """Looks up which version is served, and which older ones are kept: others, another baseline."""

    def facts_of(self, execution_info: ExecutionInfo) -> dict[str, str]:
        push_directory = Path(settings_of(execution_info).push_directory)
        served = versions.served(push_directory)
        if served is None:
            return {SERVED_VERSION: "", SERVED_DIGEST: "", KEPT_VERSIONS: "{}"}
        return {
            SERVED_VERSION: served.name,
            SERVED_DIGEST: saved_model.digest(served),
            KEPT_VERSIONS: json.dumps(_kept(push_directory)),
        }


def _kept(push_directory: Path) -> dict[str, dict[str, str]]:
    """Returns the versions older than the served one; a rollback's withdrawn ones are none."""
    return {
        str(version.number): {
            "folder": str(version.path),
            "digest": saved_model.digest(version.path),
        }
        for version in versions.published(push_directory)
        if version.state == "older"
    }


class Executor(StepExecutor[BaselineSettings]):
    """Copies the served version, so that a push or rollback meanwhile does not disturb the gate."""

    SETTINGS = BaselineSettings

    def do(
        self,
        inputs: Artifacts,
        outputs: Artifacts,
        settings: BaselineSettings,
        facts: dict[str, str],
    ) -> None:
        baseline = outputs.one("model")
        for key in (SERVED_VERSION, SERVED_DIGEST, KEPT_VERSIONS):
            baseline.set_string_custom_property(key, facts[key])
        if facts[SERVED_VERSION]:
            served = Path(settings.push_directory, facts[SERVED_VERSION])
            shutil.copytree(served, saved_model.serving_dir(baseline.uri))


class BaselineResolver(Step):
    """Copies the served SavedModel into a Model artifact; an empty one where none is served."""

    EXECUTOR = Executor
    DRIVER_CLASS = Driver
    LIBRARIES = ()  # it copies files
    OUTPUTS = {"model": standard_artifacts.Model}
