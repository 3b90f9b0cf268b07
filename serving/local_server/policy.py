"""Which of the versions on disk a model's configuration asks to serve."""

from __future__ import annotations

from pathlib import Path

from tensorflow_serving.config.model_server_config_pb2 import ModelConfig

from serving.versions import Version


def aspired_versions(versions: list[Version], config: ModelConfig) -> dict[int, Path]:
    """Those to serve by the policy; by default the greatest number (latest, num_versions 1)."""
    live = {version.number: version.path for version in versions if version.state != "withdrawn"}
    policy = config.model_version_policy
    match policy.WhichOneof("policy_choice"):
        case "all":
            return live
        case "specific":
            return {number: live[number] for number in policy.specific.versions if number in live}
    newest = sorted(live, reverse=True)[: policy.latest.num_versions or 1]
    return {number: live[number] for number in newest}
