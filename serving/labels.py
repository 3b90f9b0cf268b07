"""The labels `stable` and `canary`, in a `models.config` inside the push directory.

TensorFlow Serving started with `--model_config_file=DIR/models.config` and
`--model_config_file_poll_wait_seconds=N` serves the versions named there and no others: a push
waits until somebody says that it goes on trial.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from serving import durable

MODELS_CONFIG = "models.config"
STABLE, CANARY = "stable", "canary"


class VersionError(Exception):
    """A push directory or a version that is not as the caller takes it to be."""


@dataclass(frozen=True)
class Labels:
    """Who is asked under which label; without a trial both labels are of one version."""

    name: str
    """What requests call the model."""
    base_path: str
    """The push directory as the server sees it."""
    stable: int
    canary: int


def read(model_dir: Path) -> Labels | None:
    """Gives the labels of a push directory; None where it has none.

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
    labels = models[0].version_labels
    stable = labels[STABLE]
    canary = labels.get(CANARY, stable)
    return Labels(models[0].name, models[0].base_path, stable, canary)


def config(labels: Labels) -> object:
    """Gives the ModelServerConfig that serves both versions under their labels."""
    from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

    made = ModelServerConfig()
    model = made.model_config_list.config.add(
        name=labels.name, base_path=labels.base_path, model_platform="tensorflow"
    )
    versions = sorted({labels.stable, labels.canary})
    model.model_version_policy.specific.versions.extend(versions)
    model.version_labels[STABLE] = labels.stable
    model.version_labels[CANARY] = labels.canary
    return made


def write(model_dir: Path, labels: Labels) -> None:
    """Writes the file, all of it or nothing."""
    from google.protobuf import text_format

    passing = model_dir / f".{MODELS_CONFIG}"
    passing.write_text(text_format.MessageToString(config(labels)), encoding="utf-8")
    durable.rename(passing, model_dir / MODELS_CONFIG)
