"""The labels `stable` and `canary`, in a `models.config` inside the push directory.

TensorFlow Serving started with `--model_config_file=DIR/models.config` and
`--model_config_file_poll_wait_seconds=N` serves the versions named there and no others: a push
waits until somebody says that it goes on trial. It refuses a file that moves a label to a version
that is not loaded yet, at every look anew and whatever else the file asks for (server_core.cc), so
a version is in the file before the label is its own: see `Labels.beside`.

The file may hold more: other models of a shared server, other labels, `logging_config`. All of that
is kept; of comments those at the top, and a file with others is refused before it is changed.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving import atomic_files

MODELS_CONFIG = "models.config"
DEFAULT_NAME = "classifier"
STABLE, CANARY = "stable", "canary"

_STRING = re.compile(r'"(?:\\.|[^"\\])*"' + r"|'(?:\\.|[^'\\])*'")


class VersionError(Exception):
    """A push directory or a version that is not as the caller takes it to be."""


@dataclass(frozen=True)
class Labels:
    """The versions that are loaded, and the version of each label.

    Without a trial `stable` and `canary` are one version.
    """

    name: str
    """The model's name in requests."""
    base_path: str
    """The push directory as the server sees it."""
    stable: int
    canary: int
    beside: int | None = None
    """A version that is loaded without a label: about to get one, or to leave."""
    others: frozenset[int] = frozenset()
    """Versions of other labels in the file: they are loaded whatever happens to these two."""

    @property
    def loaded(self) -> set[int]:
        """The versions that a server loads for these labels."""
        beside = set() if self.beside is None else {self.beside}
        return {self.stable, self.canary} | beside


def read(model_dir: Path, name: str | None = None) -> Labels | None:
    """Returns the labels of a push directory; None where it has none.

    Args:
        model_dir: the push directory.
        name: the model's name in the file; None: the one model with the label `stable`, and of
            several the one whose base path ends as `model_dir` does.

    Raises:
        VersionError: the file can't be read, or has no such model.
    """
    path = model_dir / MODELS_CONFIG
    if not os.path.lexists(path):
        return None
    model = _own(_document(path), path, name)
    return _labels(model)


def config(model_dir: Path, labels: Labels) -> Any:
    """Returns the ModelServerConfig that serves these versions under their labels.

    It is the one in `model_dir`, changed in nothing else.

    Raises:
        VersionError: the file there has something that would be lost.
    """
    from serving.api import ModelServerConfig

    path = model_dir / MODELS_CONFIG
    if os.path.lexists(path):
        _header(path)
        made = _document(path)
        model = _own(made, path, labels.name)
    else:
        made = ModelServerConfig()
        model = made.model_config_list.config.add(name=labels.name, model_platform="tensorflow")
    versions = model.model_version_policy.specific.versions
    others = set(versions) - _labels(model).loaded
    model.base_path = labels.base_path
    model.version_labels[STABLE] = labels.stable
    model.version_labels[CANARY] = labels.canary
    versions[:] = sorted(others | labels.loaded | {*model.version_labels.values()})
    return made


def write(model_dir: Path, labels: Labels) -> None:
    """Writes the file, all of it or nothing.

    Raises:
        VersionError: as `config`.
    """
    from google.protobuf import text_format

    path = model_dir / MODELS_CONFIG
    header = _header(path) if os.path.lexists(path) else ""
    atomic_files.write(path, header + text_format.MessageToString(config(model_dir, labels)))


def _document(path: Path) -> Any:
    from serving.config_files import ConfigFileError, read_models

    try:
        return read_models(path)
    except ConfigFileError as error:
        raise VersionError(
            f"{error} Mend the file or move it away; nothing was changed."
        ) from error


def _own(document: Any, path: Path, name: str | None) -> Any:
    """Returns the ModelConfig of this push directory inside the file's message."""
    models = document.model_config_list.config
    names = ", ".join(repr(model.name) for model in models) or "none"
    if name is not None and name not in [model.name for model in models]:
        raise VersionError(f"{path} has no model {name!r}; its models: {names}. Name one of these.")
    found = [
        model for model in models if STABLE in model.version_labels and name in (None, model.name)
    ]
    if len(found) > 1:
        folder = path.absolute().parent.name
        found = [model for model in found if Path(model.base_path).name == folder] or found
    if not found:
        raise VersionError(
            f"{path} has not the one model with the label {STABLE!r} (its models: {names}): give"
            f" the model of this directory that label, or move the file away."
        )
    if len(found) > 1:
        raise VersionError(
            f"{path} has several models with the label {STABLE!r} ({names}), and their"
            f" base_paths do not tell which is of this directory: have that one, and no other, end"
            f" in {folder!r}."
        )
    policy = found[0].model_version_policy.WhichOneof("policy_choice")
    if policy not in (None, "specific"):
        raise VersionError(
            f"{path} serves {found[0].name!r} by the policy {policy!r}, with which labels can't"
            " move: list the versions as `specific { versions: N }`, or move the file away."
        )
    return found[0]


def _labels(model: Any) -> Labels:
    named: dict[str, int] = dict(model.version_labels)
    stable = named.get(STABLE, 0)
    unlabelled = set(model.model_version_policy.specific.versions) - {*named.values()}
    others = frozenset(number for label, number in named.items() if label not in (STABLE, CANARY))
    return Labels(
        name=model.name,
        base_path=model.base_path,
        stable=stable,
        canary=named.get(CANARY, stable),
        beside=max(unlabelled, default=None),
        others=others,
    )


def _header(path: Path) -> str:
    """Returns the comment lines at the file's top.

    Raises:
        VersionError: there are comments elsewhere, which would be lost.
    """
    lines = path.read_text("utf-8").splitlines(keepends=True)
    top = next((at for at, line in enumerate(lines) if line.strip()[:1] not in ("", "#")), 0)
    for number, line in enumerate(lines[top:], top + 1):
        if "#" in _STRING.sub("", line):
            raise VersionError(
                f"{path}, line {number} has a comment, which a change of the file would lose:"
                " move the comments to the top of the file. Nothing was changed."
            )
    return "".join(lines[:top])
