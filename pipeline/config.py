"""The typed configuration: one YAML file, validated before anything else happens."""

from __future__ import annotations

import itertools
import re
import typing
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import pydantic
from pydantic import Field, model_validator

from components.backbones import BACKBONES
from components.errors import ConfigError, listed
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
from components.settings.secret_texts import without_secrets
from components.settings.training import Training
from components.settings.tuner import Tuner
from pipeline import config_faults, yaml_text
from pipeline.keys import set_at
from serving.names import shown

_PRESETS = resources.files("pipeline") / "presets"
_ASSIGNMENT = re.compile(r"""(?P<key>(?:"[^"]*"|'[^']*'|[^="'])+)=(?P<value>.*)""", re.DOTALL)
_PART = re.compile(r""""[^"]*"|'[^']*'|[^."']+""")


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

    @model_validator(mode="after")
    def _head_is_decided(self) -> Config:
        """Decides what the head leaves to the phases, so that every node and the report read it."""
        head = self.model.head.fitted_to(self.training.frozen.epochs)
        if head is not self.model.head:
            model = self.model.model_copy(update={"head": head})
            # The section is frozen for all others.
            object.__setattr__(self, "model", model)
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
    def reported(self) -> dict[str, Any]:
        """The part that the report shows and keeps: all but `runtime.notify` and secrets.

        A webhook's address may be a secret, and a new one must not make the report anew.
        """
        shown = self.model_dump(mode="json", exclude={"runtime": {"notify"}})
        return {**shown, "runtime": without_secrets(shown["runtime"])}

    @property
    def scheduled(self) -> dict[str, Any]:
        """The part that a scheduler's steps read: paths absolute, and no `runtime.notify`.

        A webhook's address may be a secret, and schedulers show their files to all who see runs.
        """
        kept = self.resolved().model_dump()
        kept["runtime"]["notify"] = None
        if "standardize" not in self.model.head.model_fields_set:
            kept["model"]["head"]["standardize"] = None  # the keys of a run decide it
        return kept

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
        raise ConfigError(
            f"No preset {name!r}; allowed are {', '.join(presets()) or 'none'}. Name one of them."
        )
    return _parse(preset_text(name), f"preset {name}")


def preset_text(name: str) -> str:
    """Returns a preset's file, for a person."""
    return _PRESETS.joinpath(f"{name}.yaml").read_text("utf-8")


def preset_about(name: str) -> str:
    """Returns the first sentence of a preset's comment."""
    lines = (line.removeprefix("#").strip() for line in preset_text(name).splitlines())
    comment = " ".join(
        itertools.takewhile(lambda line: not line.startswith("pipeline_name"), lines)
    )
    first = re.split(r"\.\s+(?=[A-Z])", comment)[0]  # not at `et al. 2019`
    return f"{first.rstrip('.')}."


def read_file(path: Path) -> dict[str, Any]:
    """Returns a configuration file's keys as they stand there."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"The configuration file {shown(path)} can't be read: {shown(error)}. YAML in UTF-8 is "
            "needed. Name such a file."
        ) from error
    return _parse(text, shown(path))


def _parse(text: str, where: str) -> dict[str, Any]:
    tree = yaml_text.parse(text, where)
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError(
            f"{where} holds {config_faults.kind(tree)}; sections such as `data:` are needed. "
            "Write each key as `SECTION: {KEY: VALUE}`."
        )
    return tree


def override(tree: dict[str, Any], assignment: str) -> None:
    """Applies one `KEY=VALUE`; the key's path has dots, the value is YAML.

    A part of the path with a dot or `=` in it stands in quotes; the last one, if it is a name and
    no key, may have dots without.
    """
    match = _ASSIGNMENT.fullmatch(assignment)
    if match is None or not match["value"].strip():
        raise ConfigError(
            f"--set {shown(assignment)}: KEY=VALUE is needed. Write it as training.seed=1, or "
            "training.seed=null for nothing."
        )
    value = yaml_text.parse(match["value"], f"--set {shown(assignment)}")
    key = match["key"]
    data = tree.get("data")
    if key.startswith("data.splits.") and not (isinstance(data, dict) and data.get("splits")):
        set_key(tree, "data.splits", Splits().model_dump())  # one part beside the defaults
    set_key(tree, key, value)


def set_key(tree: dict[str, Any], key: str, value: Any) -> None:
    """Sets the key with this dotted path, of which names may stand in quotes."""
    parts = [part[1:-1] if part[0] in "\"'" else part for part in _PART.findall(key)]
    set_at(tree, _with_whole_name(parts), value)


def _with_whole_name(parts: list[str]) -> list[str]:
    """Joins what follows a key that holds values by name: a shell takes the quotes of "v1.2"."""
    section: Any = Config
    for position, part in enumerate(parts):
        field = section.model_fields.get(part)
        if field is None:
            return parts
        if typing.get_origin(field.annotation) is dict and parts[position + 1 :]:
            held = typing.get_args(field.annotation)[1]
            is_plain = held is not Any and not _section_in(held)
            return [*parts[: position + 1], ".".join(parts[position + 1 :])] if is_plain else parts
        section = _section_in(field.annotation)
        if section is None:
            return parts
    return parts


def _section_in(annotation: Any) -> type[Section] | None:
    """The section in a field's type; None for a plain value."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    found = (_section_in(part) for part in typing.get_args(annotation))
    return next(filter(None, found), None)


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
        raise ConfigError(
            "The configuration is wrong; correct these keys, in the file or by --set KEY=VALUE:"
            f"{listed(lines)}"
        ) from error
