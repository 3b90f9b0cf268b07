"""The subcommands of the first hour; `pipeline.cli` puts them into the command."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from components.files.cache_folder import local_root
from pipeline.commands.options import DEFAULT_ROOT, Json, Metadata, RunsRoot


def init(
    place: Annotated[
        Path,
        typer.Argument(metavar="DIR", exists=True, help="Folder of pictures, or a manifest."),
    ],
    output: Annotated[
        Path | None,
        typer.Option(help="The file to write; default: the folder's name and .yaml, here."),
    ] = None,
    minutes: Annotated[
        float, typer.Option(min=1, help="How long a run may take; decides network and epochs.")
    ] = 30.0,
    measure: Annotated[
        bool, typer.Option(help="Whether a forward pass is measured, which loads TensorFlow.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Reads the pictures and writes a configuration for them, each key with its reason.

    Example: transfer-pipeline init pets --output pets.yaml
    """
    from pipeline.commands import init as init_command

    asked = init_command.Request(
        place=place, output=output, minutes=minutes, measure=measure, as_json=as_json
    )
    if not init_command.init(asked):
        raise typer.Exit(1)


def presets(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Prints this preset's YAML.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Lists the presets, or prints one.

    Example: transfer-pipeline presets solar-cells > solar.yaml
    """
    from pipeline import config

    if name is None:
        rows = [{"name": each, "about": config.preset_about(each)} for each in config.presets()]
        lines = (f"{row['name']:<38}{row['about']}" for row in rows)
        print(json.dumps(rows) if as_json else "\n".join(lines))
        return
    found = config.read_preset(name)
    print(json.dumps(found) if as_json else config.preset_text(name), end="\n" if as_json else "")


def doctor(
    root: RunsRoot = DEFAULT_ROOT,
    model_dir: Annotated[
        Path | None, typer.Option(help="The push directory; default: those in the root.")
    ] = None,
    metadata: Metadata = None,
    devices: Annotated[
        bool, typer.Option(help="Whether TensorFlow is asked for its devices, which takes seconds.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Looks at what a run needs of this machine: a line each, fine or what to do.

    Ends with 1 where something is in the way. Example: transfer-pipeline doctor --root runs
    """
    from pipeline.commands import doctor as doctor_command

    asked = doctor_command.Request(
        root=local_root(root), model_dir=model_dir, store=metadata, devices=devices, as_json=as_json
    )
    if not doctor_command.doctor(asked):
        raise typer.Exit(1)


class Shell(str, Enum):
    """The shell that `completion` writes for."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


def completion(
    context: typer.Context,
    shell: Annotated[Shell, typer.Argument(help="bash, zsh or fish.")],
    as_json: Json = False,
) -> None:
    """Prints a script by which a shell completes the commands and their options.

    Example: source <(transfer-pipeline completion bash)
    """
    from pipeline.commands import completion as shells

    root = context.find_root().command
    script = shells.script(shell.value, shells.words_of(root))
    if as_json:
        print(json.dumps({"shell": shell.value, "script": script}))
        return
    print(script, end="")


COMMANDS = (init, doctor, presets, completion)
"""In the order in which help shows them."""
