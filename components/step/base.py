"""The base of every step: a component that states what it needs, and its executor.

A subclass of `Step` names its inputs, outputs, executor and libraries; TFX's Spec, channels and
executor spec are made of that. Its settings, one typed section, cross the border to the executor as
one JSON execution property: written in `Step`, read in `settings_in`, nowhere else.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

from tfx.dsl.components.base import (
    base_beam_component,
    base_beam_executor,
    base_component,
    base_executor,
    executor_spec,
)
from tfx.orchestration.portable.data_types import ExecutionInfo
from tfx.types import Artifact, BaseChannel, channel, component_spec

from components.files.paths import IN_ROOT
from components.settings.base import Section
from components.settings.beam_options import is_local, threads
from components.step import own_errors
from components.step.artifacts import ArtifactLists, Artifacts
from components.step.driver import Keyed, step_of

SETTINGS = "settings"
"""The execution property that holds a step's settings."""

Settings = TypeVar("Settings", bound=Section)


def settings_in(properties: Mapping[str, Any], kind: type[Settings]) -> Settings:
    """Reads a step's settings from the execution properties of its node."""
    return kind.model_validate_json(properties[SETTINGS])


def settings_of(execution_info: ExecutionInfo) -> Any:
    """Reads the settings of the step that is about to run, for its driver."""
    return settings_in(execution_info.exec_properties, step_of(execution_info).EXECUTOR.SETTINGS)


class StepExecutor(base_executor.BaseExecutor, Generic[Settings]):
    """Does a step's work: a subclass names the type of its settings and defines `do`."""

    SETTINGS: type[Settings]

    def Do(
        self, input_dict: ArtifactLists, output_dict: ArtifactLists, exec_properties: dict[str, Any]
    ) -> None:
        """Unpacks what TFX's launcher hands over."""
        settings = settings_in(exec_properties, self.SETTINGS)
        facts = {key: value for key, value in exec_properties.items() if key != SETTINGS}
        with own_errors.unwrapped():
            self.do(Artifacts(input_dict), Artifacts(output_dict), settings, facts)

    @abc.abstractmethod
    def do(
        self, inputs: Artifacts, outputs: Artifacts, settings: Settings, facts: dict[str, str]
    ) -> None:
        """Does the work.

        Args:
          inputs: what the steps before made.
          outputs: what is made here: where it belongs, as empty folders.
          settings: the step's part of the configuration.
          facts: what the step's driver found.
        """

    @property
    def run_id(self) -> str:
        """The pipeline run's id; empty outside of a run."""
        return (self._context.pipeline_run_id or "") if self._context else ""


class BeamStepExecutor(StepExecutor[Settings], base_beam_executor.BaseBeamExecutor):
    """Does a step's work with Beam."""

    @property
    def on_workers(self) -> bool:
        """Whether workers run the pipelines that may see nothing of this machine but the root."""
        return not is_local(self._beam_arguments)

    @property
    def threads(self) -> int:
        """How many threads each worker of the pipelines may use for itself."""
        return threads(self._beam_arguments)

    @property
    def _beam_arguments(self) -> list[str]:
        return [str(argument) for argument in self._beam_pipeline_args]

    def shared(self, artifact: Artifact) -> str:
        """Returns the folder of an output in which the pipelines' workers write."""
        in_root = artifact.get_string_custom_property(IN_ROOT)
        return str(in_root) if in_root and self.on_workers else artifact.uri


class Step(Keyed, base_component.BaseComponent):
    """A component of this pipeline."""

    EXECUTOR: ClassVar[type[StepExecutor[Any]]]
    INPUTS: ClassVar[dict[str, type[Artifact]]] = {}
    OPTIONAL_INPUTS: ClassVar[dict[str, type[Artifact]]] = {}
    OUTPUTS: ClassVar[dict[str, type[Artifact]]] = {}
    STREAMED: ClassVar[tuple[str, ...]] = ()
    """Inputs that the executor reads where they lie, also where the root is no folder."""
    _EXECUTOR_SPEC: ClassVar[type] = executor_spec.ExecutorClassSpec

    def __init_subclass__(cls, **arguments: Any):
        super().__init_subclass__(**arguments)
        if "EXECUTOR" in vars(cls):
            cls.SPEC_CLASS = type(
                f"{cls.__name__}Spec", (component_spec.ComponentSpec,), _spec(cls)
            )
            cls.EXECUTOR_SPEC = cls._EXECUTOR_SPEC(cls.EXECUTOR)

    def __init__(self, settings: Section, **inputs: BaseChannel | None):
        """Makes the step.

        Args:
          settings: of the type that the executor names. Every key in it is part of the cache key:
            it holds what decides the result, and no more.
          **inputs: a channel for each of `INPUTS` and, or None, for each of `OPTIONAL_INPUTS`.

        Raises:
          TypeError: the settings have another type, or there is no such input.
          ValueError: an input is missing.
        """
        unknown = sorted(inputs.keys() - self.INPUTS.keys() - self.OPTIONAL_INPUTS.keys())
        if unknown:
            raise TypeError(f"{type(self).__name__} has no input {', '.join(unknown)}.")
        if type(settings) is not self.EXECUTOR.SETTINGS:
            needed, found = self.EXECUTOR.SETTINGS.__name__, type(settings).__name__
            raise TypeError(f"{type(self).__name__} takes {needed} as its settings, found {found}.")
        outputs = {key: channel.Channel(type=kind) for key, kind in self.OUTPUTS.items()}
        encoded = {SETTINGS: settings.model_dump_json()}
        super().__init__(spec=self.SPEC_CLASS(**encoded, **inputs, **outputs))


def _spec(step: type[Step]) -> dict[str, Any]:
    def parameters(kinds: dict[str, type[Artifact]], **given: Any) -> dict[str, Any]:
        return {
            key: component_spec.ChannelParameter(type=kind, **given) for key, kind in kinds.items()
        }

    return {
        "PARAMETERS": {SETTINGS: component_spec.ExecutionParameter(type=str)},
        "INPUTS": parameters(step.INPUTS) | parameters(step.OPTIONAL_INPUTS, optional=True),
        "OUTPUTS": parameters(step.OUTPUTS),
    }


class BeamStep(Step, base_beam_component.BaseBeamComponent):
    """A step whose executor works with Beam."""

    LOCAL_COPIES: ClassVar[bool] = False
    """Whether the executor works on copies where the root is no folder and Beam's workers are
    elsewhere, too: these write into `BeamStepExecutor.shared`, and read what is `STREAMED`."""
    _EXECUTOR_SPEC = executor_spec.BeamExecutorSpec
