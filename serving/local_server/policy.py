"""Which of the versions on disk a model's configuration asks to serve."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tensorflow_serving.config.model_server_config_pb2 import ModelConfig


def aspired_versions(live: Mapping[int, Path], config: ModelConfig) -> dict[int, Path]:
    """Those to serve by the policy; by default the greatest number (latest, num_versions 1)."""
    policy = config.model_version_policy
    match policy.WhichOneof("policy_choice"):
        case "all":
            return dict(live)
        case "specific":
            return {number: live[number] for number in policy.specific.versions if number in live}
    newest = sorted(live, reverse=True)[: policy.latest.num_versions or 1]
    return {number: live[number] for number in newest}
