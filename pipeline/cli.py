"""The command `transfer-pipeline`. Heavy imports wait until a subcommand needs them."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from components.errors import ConfigError, UserError
from components.files import refusals
from pipeline.commands import (
    data_group,
    judging_group,
    runs_group,
    scheduler_group,
    serving_group,
    starting_group,
    training_group,
    versions_group,
)
from pipeline.launch import environment
from serving.names import shown_lines
from serving.versions import VersionError

app = typer.Typer(
    help="From a folder of labelled pictures to a gated, served image classifier.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_IN_EXTRA_PIPELINE = (
    "apache_beam", "google_crc32c", "grpc_health", "h5py", "keras", "ml_metadata", "tensorflow",
    "tensorflow_data_validation", "tensorflow_model_analysis", "tensorflow_serving",
    "tensorflow_transform", "tfx", "tfx_bsl",
)  # fmt: skip


def main() -> None:
    """Runs the command; the exit code is 0, 1 (failed, refused) or 2 (wrong arguments or keys)."""
    environment.prepare()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with refusals.told(), _all_printed():
            app()
    except (UserError, VersionError) as error:
        print(f"error: {shown_lines(error)}", file=sys.stderr)
        sys.exit(2 if isinstance(error, ConfigError | VersionError) else 1)
    except ImportError as error:
        if (error.name or "").split(".")[0] not in _IN_EXTRA_PIPELINE:
            raise
        print(f"error: {_import_fault(error)}", file=sys.stderr)
        sys.exit(1)
    finally:
        gc.freeze()  # the process ends: there is no use in a last look for garbage


@contextlib.contextmanager
def _all_printed() -> Iterator[None]:
    """Has standard output take all that was printed: the interpreter tells no fault at its end."""
    try:
        yield
    finally:
        try:
            sys.stdout.flush()
        except OSError as error:  # what it did not take would be written again at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            if not isinstance(error, BrokenPipeError):  # else its reader has ended, as `head` does
                raise


def _interrupt(*_: object) -> None:
    """Ends the command on SIGTERM as Ctrl-C does: child processes and temporary files, too."""
    raise KeyboardInterrupt


def _import_fault(error: ImportError) -> str:
    """Returns which package is missing, or broken, and how it is installed."""
    if isinstance(error, ModuleNotFoundError):
        return f"this needs the package {error.name}: pip install 'transfer-pipeline[pipeline]'"
    reason = " ".join(str(error).split())
    return (
        f"the package {error.name} is installed and can't be imported: {reason}. Versions that "
        "don't fit each other are the usual reason: `make setup` installs those of the lock."
    )


def _version(asked: bool) -> None:
    if asked:
        from pipeline.commands.version import version_line

        print(version_line())
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_version, help="Prints the version, and of TFX."
        ),
    ] = False,
) -> None:
    """From a folder of labelled pictures to a gated, served image classifier."""


for _command in (
    *training_group.COMMANDS,
    *starting_group.COMMANDS,
    *runs_group.COMMANDS,
    *serving_group.COMMANDS,
    *versions_group.COMMANDS,
    *judging_group.COMMANDS,
):
    app.command()(_command)


data_group.add_to(app)
scheduler_group.add_to(app)
