"""TFX gets the specification that a subclass states, and `do` its settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from tfx.dsl.components.base import executor_spec
from tfx.types import channel, standard_artifacts

from components.settings.base import Section
from components.settings.model import Head
from components.step.artifacts import Artifacts
from components.step.base import BeamStep, BeamStepExecutor, Step, StepExecutor
from tests.components.made_step import about_to_run, driven, execute


class Knobs(Section):
    """Settings with a section inside."""

    head: Head
    rates: list[float]


class Mixer(StepExecutor[Knobs]):
    """Keeps what it is handed."""

    SETTINGS = Knobs

    def do(
        self, inputs: Artifacts, outputs: Artifacts, settings: Knobs, facts: dict[str, str]
    ) -> None:
        self.handed = (inputs, outputs, settings, facts)


class Mix(Step):
    """A step with an input that may be left out."""

    EXECUTOR = Mixer
    LIBRARIES = ("numpy", "keras")
    INPUTS = {"examples": standard_artifacts.Examples}
    OPTIONAL_INPUTS = {"model": standard_artifacts.Model}
    OUTPUTS = {"run": standard_artifacts.ModelRun}


class BeamMixer(BeamStepExecutor[Knobs]):
    """The same with Beam."""

    SETTINGS = Knobs

    def do(
        self, inputs: Artifacts, outputs: Artifacts, settings: Knobs, facts: dict[str, str]
    ) -> None:
        pass


class BeamMix(BeamStep):
    """A step that works with Beam."""

    EXECUTOR = BeamMixer
    LIBRARIES = ()


KNOBS = Knobs(head=Head(dropout=0.3), rates=[1.0, 0.5])
EXAMPLES = channel.Channel(type=standard_artifacts.Examples)


def test_spec_channels_and_executor_are_made_of_what_the_class_states() -> None:
    made = Mix(KNOBS, examples=EXAMPLES)
    assert list(made.inputs) == ["examples"]
    assert made.outputs["run"].type is standard_artifacts.ModelRun
    assert list(made.exec_properties) == ["settings"]
    assert type(made.executor_spec) is executor_spec.ExecutorClassSpec
    assert made.executor_spec.executor_class is Mixer
    assert type(BeamMix(KNOBS).executor_spec) is executor_spec.BeamExecutorSpec
    given = Mix(KNOBS, examples=EXAMPLES, model=channel.Channel(type=standard_artifacts.Model))
    assert list(given.inputs) == ["examples", "model"]


def test_faults_of_the_caller_are_named() -> None:
    with pytest.raises(TypeError, match="Mix takes Knobs as its settings, found Head"):
        Mix(Head(), examples=EXAMPLES)
    with pytest.raises(TypeError, match="Mix has no input modle"):
        Mix(KNOBS, examples=EXAMPLES, modle=None)
    with pytest.raises(ValueError, match="Missing argument 'examples'"):
        Mix(KNOBS)


def test_do_is_handed_the_settings_as_they_were_and_the_drivers_facts(tmp_path: Path) -> None:
    examples, run = standard_artifacts.Examples(), standard_artifacts.ModelRun()
    examples.uri, run.uri = str(tmp_path / "examples"), str(tmp_path / "run")
    examples.split_names = '["train"]'
    mixer = Mixer()
    execute(mixer, KNOBS, {"examples": [examples]}, {"run": run}, seen="yes")
    inputs, outputs, settings, facts = mixer.handed
    assert settings == KNOBS
    assert facts == {"seen": "yes"}
    assert inputs.one("examples") is examples
    assert inputs.split("examples", "train") == str(tmp_path / "examples" / "Split-train")
    assert inputs.maybe("model") == []
    assert outputs.uri("run") == run.uri


def test_the_cache_key_has_the_versions_of_the_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"keras": "3.12.4", "numpy": "1.26.4"}
    monkeypatch.setattr("importlib.metadata.version", versions.__getitem__)
    found = driven(about_to_run(Mix, KNOBS))
    assert found["libraries"] == "keras 3.12.4, numpy 1.26.4"
    assert len(found["code_version"]) == 16
    versions["keras"] = "3.15.0"
    upgraded = driven(about_to_run(Mix, KNOBS))
    assert upgraded == found | {"libraries": "keras 3.15.0, numpy 1.26.4"}
