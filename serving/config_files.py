"""TensorFlow Serving's configuration files: protocol buffers in text, read into its messages.

`tensorflow-serving-api` brings the message of `models.config` only. Those of the other files are
declared here with the fields that both servers read, as tensorflow/serving has them
(session_bundle_config.proto, ssl_config.proto, monitoring_config.proto); a field that is not there
is refused, as a misspelt one is.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, message_factory, text_format, wrappers_pb2
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

_FIELD = descriptor_pb2.FieldDescriptorProto
_WRAPPED_INT = ".google.protobuf.Int64Value"
_PROMETHEUS = ".tensorflow.serving.PrometheusConfig"
_TYPES = {"string": _FIELD.TYPE_STRING, "bool": _FIELD.TYPE_BOOL}  # others are messages
_DECLARED = {
    "BatchingParameters": [
        ("max_batch_size", 1, _WRAPPED_INT),
        ("batch_timeout_micros", 2, _WRAPPED_INT),
        ("max_enqueued_batches", 3, _WRAPPED_INT),
        ("num_batch_threads", 4, _WRAPPED_INT),
    ],
    "SSLConfig": [
        ("server_key", 1, "string"),
        ("server_cert", 2, "string"),
        ("custom_ca", 3, "string"),
        ("client_verify", 4, "bool"),
    ],
    "PrometheusConfig": [("enable", 1, "bool"), ("path", 2, "string")],
    "MonitoringConfig": [("prometheus_config", 1, _PROMETHEUS)],
}


class ConfigFileError(ValueError):
    """A file that TensorFlow Serving would not start with; the message names file and place."""


@dataclass(frozen=True)
class BatchingOptions:
    """As in `batching_parameters.txt`; what is not set there is as in TensorFlow Serving."""

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = field(default_factory=lambda: os.cpu_count() or 1)


def read_models(path: Path) -> ModelServerConfig:
    """Reads a `models.config` (`--model_config_file`).

    Raises:
        ConfigFileError: as for all readers here, no such file or not of that form.
    """
    return _read(path, ModelServerConfig)


def read_batching(path: Path) -> BatchingOptions:
    """Reads a `batching_parameters.txt` (`--batching_parameters_file`).

    Raises:
        ConfigFileError: also for a number that is too small.
    """
    message = _read(path, _MESSAGES["BatchingParameters"])
    given = {entry.name: wrapped.value for entry, wrapped in message.ListFields()}
    for name, value in given.items():
        least = 0 if name == "batch_timeout_micros" else 1
        if value < least:
            raise ConfigFileError(f"{path}: {name} is {value}, it must be at least {least}")
    return BatchingOptions(**given)


def read_ssl(path: Path) -> Any:
    """Reads an `ssl_config_file`: SSLConfig, whose fields hold PEM text."""
    return _read(path, _MESSAGES["SSLConfig"])


def read_monitoring(path: Path) -> Any:
    """Reads a `monitoring.config` (`--monitoring_config_file`): MonitoringConfig."""
    return _read(path, _MESSAGES["MonitoringConfig"])


def _read(path: Path, message: Callable[[], Any]) -> Any:
    try:
        return text_format.Parse(path.read_text(encoding="utf-8"), message())
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise ConfigFileError(f"{path} is no such file of TensorFlow Serving: {error}") from error


def _declare() -> dict[str, Any]:
    wrappers = descriptor_pb2.FileDescriptorProto()
    wrappers_pb2.DESCRIPTOR.CopyToProto(wrappers)
    file = descriptor_pb2.FileDescriptorProto(
        name="serving/config_files.proto", package="tensorflow.serving", syntax="proto3"
    )
    file.dependency.append(wrappers.name)
    for name, fields in _DECLARED.items():
        message = file.message_type.add(name=name)
        for field_name, number, kind in fields:
            added = message.field.add(name=field_name, number=number, label=_FIELD.LABEL_OPTIONAL)
            added.type = _TYPES.get(kind, _FIELD.TYPE_MESSAGE)
            if kind not in _TYPES:
                added.type_name = kind
    found = message_factory.GetMessages([wrappers, file])
    return {name: found[f"tensorflow.serving.{name}"] for name in _DECLARED}


_MESSAGES = _declare()
