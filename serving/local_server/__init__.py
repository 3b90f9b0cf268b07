"""A server for development and tests that answers as TensorFlow Serving does.

Production runs the real `tensorflow_model_server`; a client cannot tell the two apart by their
codes, messages and behaviour on version changes, only by their speed. `python -m
serving.local_server --help` says how to start it.
"""

from __future__ import annotations

import functools
from pathlib import Path

from serving.quiet import quiet_import


def serve(
    model_dir: Path,
    name: str = "classifier",
    port: int = 8500,
    rest_port: int = 8501,
    host: str = "127.0.0.1",
) -> None:
    """Serves the greatest version in `model_dir` until SIGINT or SIGTERM, then ends gracefully.

    Prints a line with the ports once they listen, and one for each version that becomes available,
    fails to load or is unloaded. To be called in the main thread.

    Args:
        model_dir: the push directory; polled every second, may be missing or empty yet.
        name: the name that requests call the model.
        port: for gRPC; 0 takes a free one.
        rest_port: for REST; 0 takes a free one.
        host: the address to listen on.

    Raises:
        OSError: a port is taken.
    """
    with quiet_import():
        from serving.local_server.server import LocalServer, run

    say = functools.partial(print, flush=True)
    run(
        lambda: LocalServer(
            model_dir, name, host=host, port=port, rest_port=rest_port, announce=say
        )
    )
