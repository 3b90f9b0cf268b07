"""The models that a configuration lists, and the change from one list to another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tensorflow_serving.config.model_server_config_pb2 import (
    MODEL_TYPE_UNSPECIFIED,
    TENSORFLOW,
    ModelConfig,
    ModelServerConfig,
)

from serving.local_server.errors import CODES, ServingError, invalid_argument
from serving.local_server.manager import VersionManager
from serving.local_server.states import AVAILABLE, END, VersionState

_PLATFORM = "tensorflow"
_LOAD_SECONDS = 60.0
_LOOK_SECONDS = 0.05

Changed = Callable[[str, VersionState], None]
"""Is told a model's name and the new state of one of its versions."""


def one_model(name: str, model_dir: Path) -> ModelServerConfig:
    """Gives the configuration that TensorFlow Serving makes of `--model_name` and its path."""
    config = ModelServerConfig()
    config.model_config_list.config.add(
        name=name, base_path=str(model_dir.absolute()), model_platform=_PLATFORM
    )
    return config


class ModelSet:
    """The version managers by the model's name; starts empty."""

    def __init__(self, changed: Changed) -> None:
        self._changed = changed
        self._reloading = threading.Lock()
        self._managers: dict[str, VersionManager] = {}

    def get(self, name: str) -> VersionManager | None:
        """Gives the manager of a model; None where the configuration does not list it."""
        return self._managers.get(name)

    def all(self) -> list[VersionManager]:
        return list(self._managers.values())

    def apply(self, config: ModelServerConfig, wait: bool = True) -> None:
        """Serves what `config` lists and nothing else (server_core.cc, ReloadConfig).

        Args:
            config: the whole list; a model that it leaves out is unloaded.
            wait: for the first version of each new model.

        Raises:
            ServingError: INVALID_ARGUMENT for a list that cannot be, FAILED_PRECONDITION for a
                label of a version that is not available.
        """
        _check(config, {name: manager.config for name, manager in self._managers.items()})
        listed = {model.name: model for model in config.model_config_list.config}
        with self._reloading:
            known = self._managers
            added = {name: self._manager(listed[name]) for name in listed.keys() - known.keys()}
            kept = {name: known[name] for name in listed.keys() & known.keys()}
            self._managers = kept | added
            for name in known.keys() - kept.keys():
                known[name].stop()
            for manager in added.values():
                manager.start()
            for manager in added.values() if wait else ():
                _await_first_version(manager)
            for name, manager in kept.items():
                manager.configure(listed[name])

    def stop(self) -> None:
        for manager in self.all():
            manager.stop()

    def _manager(self, config: ModelConfig) -> VersionManager:
        return VersionManager(config, lambda state: self._changed(config.name, state))


def _check(config: ModelServerConfig, known: Mapping[str, ModelConfig]) -> None:
    if config.WhichOneof("config") != "model_config_list":
        raise invalid_argument(
            "ServerModelConfig type not supported by HandleReloadConfigRequest."
            " Only ModelConfigList is currently supported"
        )
    models = config.model_config_list.config
    names = [model.name for model in models]
    for model in models:
        if names.count(model.name) > 1:
            raise invalid_argument(
                f"Illegal to list model {model.name} multiple times in config list"
            )
    for model in models:
        if not Path(model.base_path).is_absolute():
            raise invalid_argument(
                f"Expected model {model.name} to have an absolute path or URI;"
                f" got base_path()={model.base_path}"
            )
    for model in models:
        platform = _platform(model)
        served = _platform(known.get(model.name, model))
        if platform != served:
            raise invalid_argument(
                f"Illegal to change a model's platform. For model {model.name} platform was"
                f" {served} and new platform requested is {platform}"
            )
        if platform != _PLATFORM:
            raise invalid_argument(f"Model {model.name} requests unsupported platform {platform}")


def _platform(model: ModelConfig) -> str:
    if model.model_platform and model.model_type:
        raise invalid_argument(
            "Illegal setting both ModelServerConfig::model_type (deprecated) and"
            f" ModelServerConfig::model_platform, model name is {model.name}"
        )
    if model.model_type not in (MODEL_TYPE_UNSPECIFIED, TENSORFLOW):
        raise invalid_argument(
            f"ModelServerConfig::model_type choice {model.model_type} not supported."
        )
    if not model.model_platform and not model.model_type:
        raise invalid_argument(
            "Illegal setting neither ModelServerConfig::model_type (deprecated) nor"
            f" ModelServerConfig::model_platform, model name is {model.name}"
        )
    return model.model_platform or _PLATFORM


def _await_first_version(manager: VersionManager) -> None:
    """Until one can be asked, or none will."""
    end = time.monotonic() + _LOAD_SECONDS
    while time.monotonic() < end:
        states = manager.states()
        if any(state.state == AVAILABLE for state in states):
            return
        failed = [state for state in states if state.state == END and state.code]
        if failed:
            raise ServingError(CODES[failed[0].code], failed[0].message)
        time.sleep(_LOOK_SECONDS)
