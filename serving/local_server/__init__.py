"""A server for development and tests that answers as TensorFlow Serving does.

Production runs the real `tensorflow_model_server`; a client cannot tell the two apart by their
codes, messages and behaviour on version changes, only by their speed. `python -m
serving.local_server --help` says how to start it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from serving import deferred_imports
from serving.options import ServeOptions
from serving.quiet_imports import quiet_import

if TYPE_CHECKING:
    from serving.local_server.manager import Load


IS_AVAILABLE = "is AVAILABLE"
"""How the line ends that tells of a version which answers from now on."""


def serve(
    options: ServeOptions,
    load: Load | None = None,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serves until SIGINT or SIGTERM, then ends gracefully. To be called in the main thread.

    Prints a line with the ports once they listen, and one for each version that becomes available,
    fails to load or is unloaded.

    Args:
        options: of the command `serve`.
        load: makes a version ready; None: loads and warms it up.
        announce: is given these lines; None: prints them.

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
        "record": options.record,
        "announce": announce or functools.partial(print, flush=True),
        **({"load": load} if load else {}),
    }
    deferred_imports.defer(*deferred_imports.TENSORFLOW)
    with quiet_import(), deferred_imports.without("keras"):
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
