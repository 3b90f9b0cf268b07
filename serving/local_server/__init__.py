"""A server for development and tests that answers as TensorFlow Serving does.

Production runs the real `tensorflow_model_server`; a client cannot tell the two apart by their
codes, messages and behaviour on version changes, only by their speed. `python -m
serving.local_server --help` says how to start it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.quiet import quiet_import


@dataclass(frozen=True)
class ServeOptions:
    """What to serve and where; the files are TensorFlow Serving's own.

    Raises:
        ValueError: not exactly one of `model_dir` and `model_config_file`.
    """

    model_dir: Path | None = None
    """The push directory; polled every second, may be missing or empty yet."""
    name: str = "classifier"
    """What requests call the model in `model_dir`."""
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

    def __post_init__(self) -> None:
        if (self.model_dir is None) == (self.model_config_file is None):
            raise ValueError("Name either a model directory or a model configuration file")


def serve(options: ServeOptions) -> None:
    """Serves until SIGINT or SIGTERM, then ends gracefully. To be called in the main thread.

    Prints a line with the ports once they listen, and one for each version that becomes available,
    fails to load or is unloaded.

    Raises:
        OSError: a port is taken.
        serving.config_files.ConfigFileError: a file is not of its form.
    """
    from serving import config_files

    files = options.batching_parameters_file, options.ssl_config_file
    if options.model_config_file is not None:
        config_files.read_models(options.model_config_file)  # before TensorFlow's seconds
    more: dict[str, Any] = {
        "host": options.host,
        "port": options.port,
        "rest_port": options.rest_port,
        "batching": config_files.read_batching(files[0]) if files[0] else None,
        "ssl": config_files.read_ssl(files[1]) if files[1] else None,
        "announce": functools.partial(print, flush=True),
    }
    with quiet_import():
        from serving.local_server.follow import FollowingServer
        from serving.local_server.models import one_model
        from serving.local_server.server import LocalServer, run

    def server() -> LocalServer:
        if options.model_dir is not None:
            return LocalServer(one_model(options.name, options.model_dir), **more)
        assert options.model_config_file is not None
        seconds = options.model_config_file_poll_wait_seconds
        return FollowingServer(options.model_config_file, seconds, **more)

    run(server)
