"""The models that a configuration lists, and the change from one list to another."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import grpc
from tensorflow_serving.config.model_server_config_pb2 import (
    MODEL_TYPE_UNSPECIFIED,
    TENSORFLOW,
    ModelConfig,
    ModelServerConfig,
)

from serving.local_server.errors import CODES, ServingError, invalid_argument
from serving.local_server.manager import Load, VersionManager, load
from serving.local_server.states import AVAILABLE, END, VersionState

_PLATFORM = "tensorflow"
_LOAD_SECONDS = 60.0
_LOOK_SECONDS = 0.05

Changed = Callable[[str, VersionState], None]
"""Called with a model's name and the new state of one of its versions."""


def one_model(name: str, model_dir: Path) -> ModelServerConfig:
    """Returns the configuration that TensorFlow Serving makes of `--model_name` and its path."""
    config = ModelServerConfig()
    config.model_config_list.config.add(
        name=name, base_path=str(model_dir.absolute()), model_platform=_PLATFORM
    )
    return config


class ModelSet:
    """The version managers by the model's name; starts empty."""

    def __init__(self, changed: Changed, load: Load = load) -> None:
        self._changed = changed
        self._load = load
        self._reloading = threading.Lock()
        self._managers: dict[str, VersionManager] = {}
        self._first = True
        self._labels_ahead = False

    def get(self, name: str) -> VersionManager | None:
        """Returns the manager of a model; None where the configuration does not list it."""
        return self._managers.get(name)

    def all(self) -> list[VersionManager]:
        return list(self._managers.values())

    def apply(self, config: ModelServerConfig, wait: bool = True) -> None:
        """Serves what `config` lists and nothing else (server_core.cc, ReloadConfig).

        A list that is refused changes nothing: the labels are checked before versions are added,
        so a label can't move in the reload that asks for its version. At the start, before
        anything is loaded, every label is taken. A server that was started with labels also takes
        one later that is new, or stays where it is, for a version that is not available: as
        `--allow_version_labels_for_unavailable_models` has it, with which `serve` starts
        TensorFlow Serving.

        Args:
            config: the whole list; a model that it leaves out is unloaded.
            wait: for the first version of each new model.

        Raises:
            ServingError: INVALID_ARGUMENT for a list that cannot be, FAILED_PRECONDITION for a
                label of a version that is not available; the fault of a new model that does not
                load, though the list is served then.
        """
        check(config, {name: manager.config for name, manager in self._managers.items()})
        listed = {model.name: model for model in config.model_config_list.config}
        with self._reloading:
            if self._first:
                self._labels_ahead = any(model.version_labels for model in listed.values())
            else:
                for model in listed.values():
                    self._check_labels(model)
            self._first = False
            added = self._replace(listed)
            for manager in added if wait else ():
                _await_first_version(manager)

    def stop(self) -> None:
        for manager in self.all():
            manager.stop()

    def _check_labels(self, model: ModelConfig) -> None:
        manager = self.get(model.name)
        for label, version in sorted(model.version_labels.items()):
            if manager is not None and manager.is_available(version):
                continue
            assigned = manager.labels.get(label) if manager is not None else None
            if not self._labels_ahead or assigned not in (None, version):
                raise ServingError(
                    grpc.StatusCode.FAILED_PRECONDITION,
                    f"Request to assign label to version {version} of model {model.name},"
                    " which is not currently available for inference",
                )

    def _replace(self, listed: dict[str, ModelConfig]) -> list[VersionManager]:
        """Serves what is listed from now on; returns the managers of the models that are new."""
        known = self._managers
        added = {
            name: VersionManager(listed[name], functools.partial(self._changed, name), self._load)
            for name in listed.keys() - known.keys()
        }
        kept = {name: known[name] for name in listed.keys() & known.keys()}
        for name, manager in kept.items():
            manager.configure(listed[name])
        self._managers = kept | added
        for name in known.keys() - kept.keys():
            known[name].leave()
        for manager in added.values():
            manager.start()
        return list(added.values())


def check(
    config: ModelServerConfig, known: Mapping[str, ModelConfig] = MappingProxyType({})
) -> None:
    """Refuses a list of models that cannot be served, whatever is on the disk.

    Raises:
        ServingError: INVALID_ARGUMENT, says of which model and why.
    """
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
    """Until one can be asked, or none will (server_core.cc, WaitUntilModelsAvailable)."""
    end = time.monotonic() + _LOAD_SECONDS
    while time.monotonic() < end:
        states = manager.states()
        if any(state.state == AVAILABLE for state in states):
            return
        for state in states:
            if state.state == END and state.code:
                raise ServingError(
                    grpc.StatusCode.UNKNOWN,
                    "1 model(s) did not become available:"
                    f" {{{{{{name: {manager.config.name} version: {state.version}}} due to error:"
                    f" {CODES[state.code].name}: {state.message}}}, }}",
                )
        time.sleep(_LOOK_SECONDS)
