"""The labels `stable` and `canary`, in a `models.config` inside the push directory.

TensorFlow Serving started with `--model_config_file=DIR/models.config` and
`--model_config_file_poll_wait_seconds=N` serves the versions named there and no others: a push
waits until somebody says that it goes on trial. It refuses a file that moves a label to a version
that is not loaded yet, at every look anew and whatever else the file asks for (server_core.cc), so
a version is in the file before the label is its own: see `Labels.labelled`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from serving import atomic_files

MODELS_CONFIG = "models.config"
STABLE, CANARY = "stable", "canary"


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
    """The version on trial, or next to go there."""
    labelled: bool = True
    """Whether the label `canary` is of `canary`; until then of `stable`, and `canary` is loaded."""


def read(model_dir: Path) -> Labels | None:
    """Returns the labels of a push directory; None where it has none.

    Raises:
        VersionError: the file was changed into something else.
    """
    path = model_dir / MODELS_CONFIG
    if not path.is_file():
        return None
    from serving.config_files import ConfigFileError, read_models

    try:
        models = read_models(path).model_config_list.config
    except ConfigFileError as error:
        raise VersionError(str(error)) from error
    if len(models) != 1 or STABLE not in models[0].version_labels:
        raise VersionError(f"{path} has not the one model with the label {STABLE!r}: remove it.")
    model = models[0]
    stable = model.version_labels[STABLE]
    canary = model.version_labels.get(CANARY, stable)
    beside = set(model.model_version_policy.specific.versions) - {stable, canary}
    if beside and canary == stable:
        return Labels(model.name, model.base_path, stable, max(beside), labelled=False)
    return Labels(model.name, model.base_path, stable, canary)


def config(labels: Labels) -> object:
    """Returns the ModelServerConfig that serves both versions under their labels."""
    from serving.api import ModelServerConfig

    made = ModelServerConfig()
    model = made.model_config_list.config.add(
        name=labels.name, base_path=labels.base_path, model_platform="tensorflow"
    )
    versions = sorted({labels.stable, labels.canary})
    model.model_version_policy.specific.versions.extend(versions)
    model.version_labels[STABLE] = labels.stable
    model.version_labels[CANARY] = labels.canary if labels.labelled else labels.stable
    return made


def write(model_dir: Path, labels: Labels) -> None:
    """Writes the file, all of it or nothing."""
    from google.protobuf import text_format

    passing = model_dir / f".{MODELS_CONFIG}"
    passing.write_text(text_format.MessageToString(config(labels)), encoding="utf-8")
    atomic_files.rename(passing, model_dir / MODELS_CONFIG)
