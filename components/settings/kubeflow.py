"""The resources and secrets of a Kubeflow pipeline's steps.

Names are Kubernetes' own; `kubeflow/pods.py` passes them to kfp and kfp-kubernetes.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from components.settings.base import AtLeastOne, Count, Section


def _as_text(value: Any) -> Any:
    """YAML reads `cpu: 2` as a number."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Name = Annotated[str, Field(min_length=1)]
Path = Annotated[str, Field(pattern=r"^/")]
# As kfp's own checks in kfp/dsl/pipeline_task.py.
Cpu = Annotated[str, BeforeValidator(_as_text), Field(pattern=r"^(\d*\.)?\d+m?$")]
Memory = Annotated[str, BeforeValidator(_as_text), Field(pattern=r"^\d+([EPTGMK]i?)?$")]


class Toleration(Section):
    """A taint of nodes that the step's pod may run on."""

    key: Name | None = None
    operator: Literal["Equal", "Exists"] = "Equal"
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    seconds: Count | None = None


class Secret(Section):
    """A Kubernetes secret, as environment variables or as a folder."""

    name: Name
    env: dict[Name, Name] = {}
    """Variable by the secret's key: {access_key: AWS_ACCESS_KEY_ID}."""
    mount: Path | None = None

    @model_validator(mode="after")
    def _used(self) -> Secret:
        if not self.env and self.mount is None:
            raise ValueError("`env` or `mount` is needed")
        return self


class Volume(Section):
    """A persistent volume claim as a folder of the step."""

    claim: Name
    mount: Path
    sub_path: str = ""


class Step(Section):
    """Resources and secrets of a step; null and empty leave them to the cluster."""

    image: Name | None = None
    """In place of `runtime.kubeflow.image`: the GPU's for Trainer."""
    cpu: Cpu | None = None
    """Requested: 2, 0.5, 500m."""
    cpu_limit: Cpu | None = None
    memory: Memory | None = None
    """Requested: 8Gi."""
    memory_limit: Memory | None = None
    gpu: AtLeastOne | None = None
    gpu_resource: Name = "nvidia.com/gpu"
    node_selector: dict[Name, str] = {}
    tolerations: list[Toleration] = []
    env: dict[Name, str] = {}
    secrets: list[Secret] = []
    volumes: list[Volume] = []
    retries: Count = 2
    """How often a step that failed is retried; the Trainer resumes where it was."""
    retry_seconds: Count = 60
    """Before the first retry; each further one waits twice as long."""
    timeout: AtLeastOne | None = None
    """Seconds after which a step is stopped."""


class Kubeflow(Section):
    """Settings of `compile --target kubeflow` and `--target vertex`."""

    image: Name = "transfer-pipeline:latest"
    """Image in which the steps run; `kubeflow/Dockerfile` builds it."""
    pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    pull_secrets: list[Name] = []
    step: Step = Step()
    """Every step."""
    steps: dict[Name, Step] = {}
    """Single steps by node: what is named here takes the place of the same key in `step`. `compile`
    is the first step, which reads the configuration."""
    python: str | None = None
    """Interpreter that has kfp; null: this one if it has, else that of `make kubeflow-setup`."""

    def of(self, node: str) -> Step:
        """Returns the settings of a node's step, with its image."""
        own = self.steps.get(node, Step())
        named = {key: getattr(own, key) for key in own.model_fields_set}
        step = self.step.model_copy(update=named)
        return step.model_copy(update={"image": step.image or self.image})
