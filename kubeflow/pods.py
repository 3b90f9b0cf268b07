"""Equips a step's pod: `runtime.kubeflow` by kfp and kfp-kubernetes."""

from __future__ import annotations

from typing import Any

from kfp import kubernetes
from kfp.dsl import PipelineTask


def equip(task: PipelineTask, step: dict[str, Any], everywhere: dict[str, Any]) -> None:
    """Sets a task's resources, environment, volumes and retries, as its step is configured.

    Args:
      task: the step's task in a Kubeflow pipeline.
      step: the keys of `Step` in components/settings/kubeflow.py.
      everywhere: of `Kubeflow` there, what holds for all steps.
    """
    _give_resources(task, step)
    for name, value in step["env"].items():
        task.set_env_variable(name, value)
    if step["retries"]:
        wait = f"{step['retry_seconds']}s"
        task.set_retry(step["retries"], backoff_duration=wait, backoff_factor=2.0)
    if step["timeout"]:
        kubernetes.set_timeout(task, step["timeout"])
    for label, value in step["node_selector"].items():
        kubernetes.add_node_selector(task, label, value)
    for toleration in step["tolerations"]:
        seconds = {"toleration_seconds": toleration.pop("seconds")}
        kubernetes.add_toleration(task, **toleration, **seconds)
    for volume in step["volumes"]:
        kubernetes.mount_pvc(task, volume["claim"], volume["mount"], volume["sub_path"])
    for secret in step["secrets"]:
        if secret["env"]:
            kubernetes.use_secret_as_env(task, secret["name"], secret["env"])
        if secret["mount"]:
            kubernetes.use_secret_as_volume(task, secret["name"], secret["mount"])
    if everywhere["pull_policy"]:
        kubernetes.set_image_pull_policy(task, everywhere["pull_policy"])
    if everywhere["pull_secrets"]:
        kubernetes.set_image_pull_secrets(task, everywhere["pull_secrets"])


def _give_resources(task: PipelineTask, step: dict[str, Any]) -> None:
    setters = {
        "cpu": task.set_cpu_request,
        "cpu_limit": task.set_cpu_limit,
        "memory": task.set_memory_request,
        "memory_limit": task.set_memory_limit,
    }
    for key, give in setters.items():
        if step[key]:
            give(step[key])
    if step["gpu"]:
        task.set_accelerator_type(step["gpu_resource"]).set_accelerator_limit(step["gpu"])
