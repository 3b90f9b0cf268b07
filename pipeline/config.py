"""The typed configuration: one YAML file, validated before anything else happens."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import pydantic
import yaml
from pydantic import Field, model_validator

from components.backbones import BACKBONES
from components.errors import ConfigError
from components.files.cache_folder import local_root
from components.files.paths import absolute, is_remote
from components.settings.base import Section
from components.settings.data import Data, Splits, Validation
from components.settings.export import Export
from components.settings.gate import Gate
from components.settings.model import Image, Model
from components.settings.push import Infra, Push
from components.settings.report import Report
from components.settings.runtime import Runtime
from components.settings.training import Training
from components.settings.tuner import Tuner
from pipeline import config_faults
from pipeline.keys import set_key

_PRESETS = resources.files("pipeline") / "presets"


class Config(Section):
    """The whole configuration."""

    pipeline_name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")] = "image-classifier"
    data: Data
    validation: Validation = Validation()
    image: Image = Image()
    model: Model = Model()
    training: Training = Training()
    tuner: Tuner = Tuner()
    export: Export = Export()
    gate: Gate = Gate()
    infra: Infra = Infra()
    push: Push
    report: Report = Report()
    runtime: Runtime = Runtime()

    @model_validator(mode="after")
    def _size_suits_backbone(self) -> Config:
        minimum = BACKBONES[self.model.backbone].minimum_size
        if min(self.image_size) < minimum:
            raise ValueError(
                f"image.size: found {self.image_size}, but {self.model.backbone} needs at least "
                f"{minimum} pixels in height and width"
            )
        return self

    @model_validator(mode="after")
    def _tuner_can_try_heads(self) -> Config:
        self.tuner.check_suits(self.training)
        return self

    @property
    def image_size(self) -> list[int]:
        """Height and width in pixels."""
        size = BACKBONES[self.model.backbone].size
        return self.image.size or [size, size]

    @property
    def golden(self) -> Data | None:
        """How `gate.golden` is read, if there is one."""
        if self.gate.golden is None:
            return None
        known = {key: getattr(self.data, key) for key in ("max_rejected_fraction", "max_pixels")}
        return Data(source=self.gate.golden, **known)

    @property
    def pipeline_root(self) -> str:
        """Folder of this pipeline's artifacts, on any file system."""
        return f"{absolute(self.runtime.root).rstrip('/')}/{self.pipeline_name}"

    @property
    def root(self) -> Path:
        """The absolute folder of metadata and logs, on this machine."""
        return local_root(self.runtime.root)

    @property
    def metadata(self) -> str:
        """The ML Metadata store: a server's URL or the absolute path of a SQLite file."""
        return absolute(self.runtime.metadata or str(self.root / "metadata.sqlite"))

    @property
    def push_directory(self) -> Path:
        """The absolute folder that TensorFlow Serving polls."""
        return Path(absolute(self.push.directory))


def presets() -> list[str]:
    """The names that `--preset` takes."""
    return sorted(
        Path(str(file)).stem for file in _PRESETS.iterdir() if file.name.endswith(".yaml")
    )


def read_preset(name: str) -> dict[str, Any]:
    """Returns a preset's keys as they stand in its file."""
    if name not in presets():
        raise ConfigError(f"No preset {name!r}; allowed are {', '.join(presets()) or 'none'}.")
    return _parse(_PRESETS.joinpath(f"{name}.yaml").read_text("utf-8"), f"preset {name}")


def read_file(path: Path) -> dict[str, Any]:
    """Returns a configuration file's keys as they stand there."""
    try:
        return _parse(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The configuration file {path} can't be read: {error}.") from error


def _parse(text: str, where: str) -> dict[str, Any]:
    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{where} is not YAML: {' '.join(str(error).split())}.") from error
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError(
            f"{where} holds {config_faults.kind(tree)}; sections such as `data:` are needed."
        )
    return tree


def override(tree: dict[str, Any], assignment: str) -> None:
    """Applies one `KEY=VALUE`; the key's path has dots, the value is YAML."""
    key, separator, text = assignment.partition("=")
    if not separator or not key or not text.strip():
        raise ConfigError(
            f"--set {assignment}: KEY=VALUE is needed, as in training.seed=1 (`null` for nothing)."
        )
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {assignment}: the value is not YAML.") from error
    data = tree.get("data")
    if key.startswith("data.splits.") and not (isinstance(data, dict) and data.get("splits")):
        set_key(tree, "data.splits", Splits().model_dump())  # one part beside the defaults
    set_key(tree, key, value)


def default_push_directory(tree: dict[str, Any]) -> None:
    """Sets the push directory of keys that come from no file: in the root, if that is a folder."""
    tree.setdefault("push", {})
    if isinstance(tree["push"], dict) and "directory" not in tree["push"]:
        runtime = tree.get("runtime")
        folder = runtime.get("root") if isinstance(runtime, dict) else None
        name = tree.get("pipeline_name", Config.model_fields["pipeline_name"].default)
        folder = str(folder or Runtime().root)
        if not is_remote(folder):
            tree["push"]["directory"] = str(Path(folder, "served", str(name)))


def build(tree: Mapping[str, Any]) -> Config:
    """Validates the keys.

    Raises:
      ConfigError: one line per fault, with the key's path, what was found and what is allowed.
    """
    try:
        return Config.model_validate(tree)
    except pydantic.ValidationError as error:
        lines = [config_faults.explain(fault, Config) for fault in error.errors()]
        raise ConfigError("\n".join(["The configuration is wrong:", *lines])) from error
