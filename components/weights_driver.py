"""Puts the content of the weights file into the cache key: TFX sees only its path."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from components.drivers import FactsDriver
from components.errors import ConfigError
from components.settings.model import Model
from components.weights import imagenet_file


def weights_file(model: Model) -> Path | None:
    """Gives the file that holds the backbone's weights; None for random ones.

    `imagenet` is downloaded by Keras the first time.

    Raises:
      ConfigError: there is no such file.
      WeightsUnavailable: the ImageNet file can't be had.
    """
    if model.weights is None:
        return None
    if model.weights == "imagenet":
        return imagenet_file(model.backbone)
    path = Path(model.weights).expanduser()
    if not path.is_file():
        raise ConfigError(
            f"model.weights: no file {path}. Allowed are an existing file, `imagenet`, or null."
        )
    return path


class WeightsDriver(FactsDriver):
    """For a component with an execution property `network`."""

    def facts(self, exec_properties: dict[str, Any]) -> dict[str, str]:
        path = weights_file(Model.model_validate_json(exec_properties["network"]))
        if path is None:
            return {}
        return {"weights_sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
