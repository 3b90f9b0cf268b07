"""TensorFlow Serving's configuration files: protocol buffers in text, read into its messages.

A field that is not in `serving/api/schema.py` is refused, as a misspelt one is.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import text_format

from serving.api import BatchingParameters, ModelServerConfig, MonitoringConfig, SSLConfig


class ConfigFileError(ValueError):
    """A file that TensorFlow Serving would not start with; the message names file and place."""


@dataclass(frozen=True)
class BatchingOptions:
    """As in `batching_parameters.txt`; what is not set there is as in TensorFlow Serving."""

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = field(default_factory=lambda: os.cpu_count() or 1)


def read_models(path: Path) -> Any:
    """Reads a `models.config` (`--model_config_file`): ModelServerConfig.

    Raises:
        ConfigFileError: as for all readers here, no such file or not of that form.
    """
    return _read(path, ModelServerConfig)


def read_batching(path: Path) -> BatchingOptions:
    """Reads a `batching_parameters.txt` (`--batching_parameters_file`).

    Raises:
        ConfigFileError: also for a number that is too small.
    """
    message = _read(path, BatchingParameters)
    given = {entry.name: wrapped.value for entry, wrapped in message.ListFields()}
    for name, value in given.items():
        least = 0 if name == "batch_timeout_micros" else 1
        if value < least:
            raise ConfigFileError(
                f"{path}: {name} is {value}, it must be at least {least}. Correct it there."
            )
    return BatchingOptions(**given)


def read_ssl(path: Path) -> Any:
    """Reads an `ssl_config_file`: SSLConfig, whose fields hold PEM text."""
    return _read(path, SSLConfig)


def read_monitoring(path: Path) -> Any:
    """Reads a `monitoring.config` (`--monitoring_config_file`): MonitoringConfig."""
    return _read(path, MonitoringConfig)


def _read(path: Path, message: Callable[[], Any]) -> Any:
    found = message()
    try:
        return text_format.Parse(path.read_text(encoding="utf-8"), found)
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        form, reason = found.DESCRIPTOR.name, str(error).rstrip(".")
        raise ConfigFileError(
            f"{path} is no such file of TensorFlow Serving: {reason}. A {form} as text is needed. "
            "Correct it, or name another."
        ) from error
