"""The command `serve`: TensorFlow Serving where the machine has it, else the development server."""

from __future__ import annotations

import importlib.util
import os

from components.errors import UserError
from serving.local_server import serve as serve_locally
from serving.options import ServeOptions


def serve(options: ServeOptions, local: bool) -> None:
    """Serves until it is stopped; TensorFlow Serving takes the place of this process.

    Args:
      options: what to serve and where.
      local: starts the development server even where the machine has TensorFlow Serving.

    Raises:
      UserError: a port is taken, a file is not of its form, or TensorFlow is missing.
    """
    from serving import real_server

    command = None if local else real_server.command(options)
    if command is not None:
        print(" ".join(command), flush=True)
        os.execvp(command[0], command)
    if importlib.util.find_spec("tensorflow_serving") is None:
        raise UserError(
            "Neither TensorFlow Serving nor what the development server needs is installed: put "
            "tensorflow_model_server on PATH, or pip install 'transfer-pipeline[server]'."
        )
    try:
        serve_locally(options)
    except OSError as error:
        raise UserError(
            f"{error}. Name another --port or --rest-port, 0 for a free one."
        ) from error
    except ValueError as error:
        raise UserError(str(error)) from error
