"""InfraValidator: sees that a server can serve the candidate before it is pushed."""

from __future__ import annotations

from tfx.types import standard_artifacts

from components.infra_validator.executor import Executor
from components.step.base import Step


class InfraValidator(Step):
    """Serves the candidate, asks it over gRPC and writes the standard InfraBlessing.

    Not TFX's component, which needs Docker or Kubernetes and does not look at the predictions.
    """

    EXECUTOR = Executor
    MODULES = ("serving.local_server.server",)  # runs in a process of its own
    LIBRARIES = ("grpcio", "numpy", "Pillow", "tensorflow", "tensorflow-serving-api")
    INPUTS = {
        "examples": standard_artifacts.Examples,  # some pictures of the `eval` split are sent
        "model": standard_artifacts.Model,  # the candidate
    }
    OUTPUTS = {"blessing": standard_artifacts.InfraBlessing}
