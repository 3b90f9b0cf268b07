"""InfraValidator: sees that a server can serve the candidate before it is pushed."""

from __future__ import annotations

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import BaseChannel, channel, component_spec, standard_artifacts

from components.infra_validator.executor import Executor
from components.settings.push import Infra
from components.step.code_version import code_version

_SERVER = "serving.local_server.server"  # runs in a process of its own: no import leads to it


class InfraValidatorSpec(component_spec.ComponentSpec):
    """What InfraValidator takes and gives."""

    PARAMETERS = {
        "infra": component_spec.ExecutionParameter(type=str),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
    }
    OUTPUTS = {"blessing": component_spec.ChannelParameter(type=standard_artifacts.InfraBlessing)}


class InfraValidator(base_component.BaseComponent):
    """Serves the candidate, asks it over gRPC and writes the standard InfraBlessing.

    Not TFX's component, which needs Docker or Kubernetes and does not look at the answers.
    """

    SPEC_CLASS = InfraValidatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(self, examples: BaseChannel, model: BaseChannel, infra: Infra):
        """Makes the component.

        Args:
          examples: ingested pictures, of which some of the `eval` split are sent.
          model: the candidate.
          infra: what the server must reach.
        """
        super().__init__(
            spec=InfraValidatorSpec(
                examples=examples,
                model=model,
                infra=infra.model_dump_json(),
                code_version=f"{code_version(__name__)}-{code_version(_SERVER)}",
                blessing=channel.Channel(type=standard_artifacts.InfraBlessing),
            )
        )
