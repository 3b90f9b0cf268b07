"""The options of any server: what it serves and where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from serving.recording.settings import Recording

GREATEST_PORT = 2**16 - 1


@dataclass(frozen=True)
class ServeOptions:
    """Options of a server; the files are TensorFlow Serving's own.

    Raises:
        ValueError: not exactly one of `model_dir` and `model_config_file`, or no such port.
    """

    model_dir: Path | None = None
    """The push directory; polled every second, may be missing or empty yet."""
    name: str = "classifier"
    """The name in requests of the model in `model_dir`."""
    port: int = 8500
    """For gRPC; 0 takes a free one."""
    rest_port: int = 8501
    """For REST and the page; 0 takes a free one."""
    host: str = "127.0.0.1"
    """The address to listen on."""
    model_config_file: Path | None = None
    """Models, version policies and labels, instead of `model_dir`."""
    batching_parameters_file: Path | None = None
    """How requests of several clients are joined; None: not at all."""
    ssl_config_file: Path | None = None
    """Keys and certificates for gRPC; None: no TLS."""
    model_config_file_poll_wait_seconds: int = 10
    """Between two looks at `model_config_file`; 0 reads it once."""
    record: Recording | None = None
    """Where the local server keeps some of the pictures that it is asked about; None: nowhere."""

    def __post_init__(self) -> None:
        if (self.model_dir is None) == (self.model_config_file is None):
            raise ValueError("Name either a model directory or a model configuration file")
        for port in (self.port, self.rest_port):  # gRPC would take the number's last 16 bits
            if not 0 <= port <= GREATEST_PORT:
                raise ValueError(
                    f"There is no port {port}: name one from 1 to {GREATEST_PORT}, or 0 for a free"
                    " one"
                )
