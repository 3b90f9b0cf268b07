"""Evaluator: measures the candidate and the model served now, and decides on the push."""

from __future__ import annotations

from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import BaseChannel, channel, component_spec, standard_artifacts

from components.artifacts.types import ClassList, GateVerdict, Predictions
from components.evaluator.executor import Executor
from components.settings.gate import Gate
from components.step.code_version import code_version


class EvaluatorSpec(component_spec.ComponentSpec):
    """What Evaluator takes and gives."""

    PARAMETERS = {
        "gate": component_spec.ExecutionParameter(type=str),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "class_list": component_spec.ChannelParameter(type=ClassList),
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "baseline_model": component_spec.ChannelParameter(type=standard_artifacts.Model),
    }
    OUTPUTS = {
        "evaluation": component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
        "predictions": component_spec.ChannelParameter(type=Predictions),
        "verdict": component_spec.ChannelParameter(type=GateVerdict),
    }


class Evaluator(base_beam_component.BaseBeamComponent):
    """Writes TFMA's evaluation, per-picture predictions, the verdict and the blessing.

    Not TFX's component: what it evaluates is fixed when the pipeline is compiled, while class
    list, majority rate and baseline are known only when it runs.
    """

    SPEC_CLASS = EvaluatorSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        examples: BaseChannel,
        class_list: BaseChannel,
        model: BaseChannel,
        baseline_model: BaseChannel,
        gate: Gate,
    ):
        """Makes the component.

        Args:
          examples: ingested pictures, of which the `test` split is read.
          class_list: the class names.
          model: the candidate.
          baseline_model: the model served now, or an empty artifact.
          gate: the thresholds.
        """
        super().__init__(
            spec=EvaluatorSpec(
                examples=examples,
                class_list=class_list,
                model=model,
                baseline_model=baseline_model,
                gate=gate.model_dump_json(),
                code_version=code_version(__name__),
                evaluation=channel.Channel(type=standard_artifacts.ModelEvaluation),
                blessing=channel.Channel(type=standard_artifacts.ModelBlessing),
                predictions=channel.Channel(type=Predictions),
                verdict=channel.Channel(type=GateVerdict),
            )
        )
