"""Puts the content of the weights file into the cache key: TFX sees only its path."""

from __future__ import annotations

import hashlib
from importlib import metadata
from pathlib import Path

from tfx.orchestration.portable.data_types import ExecutionInfo

from components.artifacts import saved_model
from components.backbones import BACKBONES
from components.errors import ConfigError
from components.hub_backbones import HubBackbone
from components.pretrained.official_weights import imagenet_file
from components.settings.model import Model
from components.step.base import settings_of
from components.step.driver import StepDriver


def weights_file(model: Model, served: str | Path | None = None) -> Path | None:
    """Returns the file that holds the backbone's weights; None where no file does.

    Random weights are in none, and a training that starts from a `served` model has its weights.
    `imagenet` is downloaded by Keras the first time.

    Raises:
      ConfigError: there is no such file.
      WeightsUnavailable: the ImageNet file can't be had.
    """
    if model.weights is None or served:
        return None
    if model.weights == "imagenet":
        return imagenet_file(model.backbone)
    path = Path(model.weights).expanduser()
    if not path.is_file():
        raise ConfigError(
            f"model.weights: no file {path}. Allowed are an existing file, `imagenet`, or null: "
            "correct the path, or set one of the others."
        )
    return path


class WeightsDriver(StepDriver):
    """For a step whose settings have a `model`.

    Where it has an input `baseline` in which a model is served, no other weights are needed.
    """

    def facts_of(self, execution_info: ExecutionInfo) -> dict[str, str]:
        model: Model = settings_of(execution_info).model
        served = saved_model.served(execution_info.input_dict.get("baseline", []))
        path = weights_file(model, served)
        facts = _hub_version(model.backbone)
        if path is None:
            return facts
        return {"weights_sha256": hashlib.sha256(path.read_bytes()).hexdigest(), **facts}


def _hub_version(backbone: str) -> dict[str, str]:
    """Returns the version of KerasHub where it makes the backbone: its code is part of the key."""
    if not isinstance(BACKBONES[backbone], HubBackbone):
        return {}
    return {"keras_hub": metadata.version("keras-hub")}
