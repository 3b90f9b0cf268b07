"""The command `serve`: TensorFlow Serving where the machine has it, else the development server."""

from __future__ import annotations

import importlib.util
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from components.errors import ConfigError, UserError
from serving.labels import DEFAULT_NAME
from serving.local_server import IS_AVAILABLE
from serving.local_server import serve as serve_locally
from serving.names import shown
from serving.options import ServeOptions
from serving.version_names import strangers
from serving.versions import check_is_push_directory, published

DEFAULT_PORT = 8500
"""Where `classify` asks."""


def serve(options: ServeOptions, local: bool) -> None:
    """Serves until it is stopped; TensorFlow Serving takes the place of this process.

    Args:
      options: what to serve and where.
      local: starts the development server even where the machine has TensorFlow Serving.

    Raises:
      VersionError: the folder is no push directory.
      UserError: a port is taken, a file is not of its form, or TensorFlow is missing.
    """
    from serving import real_server

    if options.model_dir is not None:
        print(found(options.model_dir, options.name), flush=True)
    command = None if local else real_server.command(options)
    if command is not None and options.record is not None:
        raise ConfigError(
            "--record: TensorFlow Serving keeps no such records. Record in the client "
            "(Client(record=DIR)), or start the development server with --local."
        )
    if command is not None:
        print(" ".join(command), flush=True)
        if following := _next(options):
            print(f"Next, once it is loaded, {following}", flush=True)
        os.execvp(command[0], command)
    if importlib.util.find_spec("tensorflow_serving") is None:
        raise UserError(
            "Neither TensorFlow Serving nor what the development server needs is installed: put "
            "tensorflow_model_server on PATH, or pip install 'transfer-pipeline[server]'."
        )
    try:
        serve_locally(options, announce=_naming_next(options))
    except OSError as error:
        raise UserError(
            f"{error}. Name another --port or --rest-port, 0 for a free one."
        ) from error
    except ValueError as error:
        raise UserError(str(error)) from error


def _naming_next(options: ServeOptions) -> Callable[[str], None]:
    """Returns what prints the server's lines, and what comes next once a model answers."""
    told = False

    def say(line: str) -> None:
        nonlocal told
        print(line, flush=True)
        if not told and line.endswith(IS_AVAILABLE) and (following := _next(options)):
            print(f"Next, {following}", flush=True)
            told = True

    return say


def _next(options: ServeOptions) -> str:
    """Returns where to type what, or nothing where it is not known: a port or models of a file."""
    known = options.port and options.model_dir is not None
    return f"in another terminal: {next_command(options)}" if known else ""


def next_command(options: ServeOptions) -> str:
    """Returns the command that asks this server."""
    words = ["transfer-pipeline", "classify", "PICTURE"]
    if options.port != DEFAULT_PORT:
        words += ["--server", f"localhost:{options.port}"]
    if options.name != DEFAULT_NAME:
        words += ["--name", options.name]
    return shown(shlex.join(words))


def found(model_dir: Path, name: str) -> str:
    """Returns a sentence about the versions in a push directory.

    Raises:
      VersionError: the folder has something else; an empty or missing one may get its first push.
    """
    if not model_dir.exists() or (model_dir.is_dir() and not any(model_dir.iterdir())):
        return f"{model_dir} has no version yet: {name} is served once one is pushed."
    check_is_push_directory(model_dir)
    for sentence in strangers(model_dir):
        print(f"warning: {sentence}", file=sys.stderr)
    versions = published(model_dir)
    newest = max((each.number for each in versions if each.state != "withdrawn"), default=None)
    if newest is None:
        return f"{model_dir} has no version to serve yet: {name} is served once one is pushed."
    others = ", ".join(f"{each.number} ({each.state})" for each in versions)
    return f"{model_dir} has {others}: {name} is served as version {newest}."
