"""The command `transfer-pipeline`. Heavy imports wait until a subcommand needs them."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import os
import signal
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from components.errors import ConfigError, UserError
from components.files import refusals
from pipeline.commands import (
    data_group,
    judging_group,
    runs_group,
    serving_group,
    starting_group,
)
from pipeline.commands.options import (
    Assignments,
    ConfigFile,
    Folders,
    Json,
    Preset,
    Root,
    Sources,
)
from pipeline.launch import environment, scratch
from serving.names import shown_lines
from serving.versions import VersionError

if TYPE_CHECKING:
    from pipeline.commands.run import Request

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


class Target(str, Enum):
    """The program that `compile` writes for."""

    tfx = "tfx"  # a file that `run-node` reads
    kubeflow = "kubeflow"
    airflow = "airflow"  # a DAG file, and a JSON file beside it
    vertex = "vertex"


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


@app.command()
def run(
    folders: Folders = None,
    config: ConfigFile = None,
    preset: Preset = None,
    data: Sources = None,
    root: Root = None,
    assignments: Assignments = None,
    from_node: Annotated[
        str | None,
        typer.Option(
            "--from", help="The first node to run; earlier nodes keep the latest run's results."
        ),
    ] = None,
    to_node: Annotated[
        str | None, typer.Option("--to", help="The last node to run; later nodes are skipped.")
    ] = None,
    bless: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Pushes in spite of the gate; the reason is kept."),
    ] = None,
    dry: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Prints which nodes would run or be cached, and the time; runs none."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Trains a model, judges it, and pushes it where the gate passes.

    Example: transfer-pipeline run pictures --root runs
    """
    from pipeline.commands import run as run_command

    asked = _asked(config, preset, root, assignments, folders, data)
    raise typer.Exit(
        run_command.run(
            dataclasses.replace(
                asked, from_node=from_node, to_node=to_node, as_json=as_json, bless=bless, dry=dry
            )
        )
    )


@app.command()
def check(
    folders: Folders = None,
    data: Sources = None,
    config: ConfigFile = None,
    preset: Preset = None,
    root: Root = None,
    assignments: Assignments = None,
    as_json: Json = False,
) -> None:
    """Reads the pictures without training; lists those that the same run would reject.

    Example: transfer-pipeline check pictures
    """
    from pipeline.commands import preflight
    from pipeline.commands.check import check as check_pictures
    from pipeline.commands.run import build_config

    built = build_config(_asked(config, preset, root, assignments, folders, data))
    preflight.check_settings(built)
    if not check_pictures(built.data, as_json, built):
        raise typer.Exit(1)


@app.command()
def lr_find(
    folders: Folders = None,
    config: ConfigFile = None,
    preset: Preset = None,
    data: Sources = None,
    root: Root = None,
    assignments: Assignments = None,
    as_json: Json = False,
) -> None:
    """Raises the learning rate from batch to batch and prints the one to start with.

    Example: transfer-pipeline lr-find pictures
    """
    from pipeline.commands import lr_find as lr_find_command

    asked = _asked(config, preset, root, assignments, folders, data)
    request = dataclasses.replace(asked, as_json=as_json)
    raise typer.Exit(lr_find_command.lr_find(request))


@app.command()
def tournament(
    folders: Folders = None,
    backbones: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[,NAME]", help="The backbones to compare; repeat it; default: all."
        ),
    ] = None,
    config: ConfigFile = None,
    preset: Preset = None,
    data: Sources = None,
    root: Root = None,
    assignments: Assignments = None,
    as_json: Json = False,
) -> None:
    """Fits a head on each backbone's features; prints accuracy on eval, time and size of each.

    Example: transfer-pipeline tournament pictures --backbones mobilenet,resnet50
    """
    from pipeline.commands import tournament as tournament_command

    asked = _asked(config, preset, root, assignments, folders, data)
    request = dataclasses.replace(asked, as_json=as_json)
    raise typer.Exit(tournament_command.tournament(request, backbones or []))


def _asked(
    config: Path | None,
    preset: str | None,
    root: str | None,
    assignments: list[str] | None,
    *sources: list[str] | None,
) -> Request:
    """Returns what the options name that all commands on a configuration have."""
    from pipeline.commands.run import Request

    named = [name for some in sources for name in some or []]
    return Request(
        config_file=config,
        preset=preset,
        data=named[0] if len(named) == 1 else named or None,
        root=root,
        assignments=assignments or [],
    )


for _command in (
    *starting_group.COMMANDS,
    *runs_group.COMMANDS,
    *serving_group.COMMANDS,
    *judging_group.COMMANDS,
):
    app.command()(_command)


data_group.add_to(app)


@app.command("compile")
def compile_pipeline(
    config: Annotated[Path, typer.Option(help="A configuration file (YAML).")],
    target: Annotated[
        Target,
        typer.Option(help="airflow, kubeflow, vertex or tfx: which scheduler the file is for."),
    ],
    output: Annotated[
        str,
        typer.Option(help="The file to write: .py for airflow, .yaml for kubeflow, else .json."),
    ],
    assignments: Assignments = None,
) -> None:
    """Writes the pipeline for a scheduler, or for `run-node`.

    Example: transfer-pipeline compile --config pets.yaml --target airflow --output pets.py
    """
    from pipeline.commands.compile import compile_to

    compile_to(config, assignments or [], target.value, output)


@app.command()
def run_node(
    pipeline: Annotated[str, typer.Option(help="The file that `compile --target tfx` wrote.")],
    node: Annotated[str, typer.Option(help="The id of the node to run, such as Trainer.")],
    run_id: Annotated[str, typer.Option(help="The run's id, the same for all its nodes.")],
) -> None:
    """Runs one node of a compiled pipeline, for a scheduler.

    Example: transfer-pipeline run-node --pipeline pets.json --node Trainer --run-id monday
    """
    with environment.heavy_imports():
        from pipeline import node_runner

    compiled = node_runner.read_compiled(pipeline)
    with scratch.folder():
        state = node_runner.run_node(node_runner.bind(compiled, run_id), node)
    print(f"{node}: {state}")
