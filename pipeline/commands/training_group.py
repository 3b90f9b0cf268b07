"""The subcommands that train, or look at what a training would take; `pipeline.cli` has them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands.options import (
    Assignments,
    ConfigFile,
    Folders,
    Json,
    Preset,
    Root,
    Sources,
)

if TYPE_CHECKING:
    from pipeline.commands.run import Request


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
    from pipeline.commands import preflight_network
    from pipeline.commands.check import check as check_pictures
    from pipeline.commands.run import build_config

    built = build_config(_asked(config, preset, root, assignments, folders, data))
    preflight_network.check_settings(built)
    if not check_pictures(built.data, as_json, built):
        raise typer.Exit(1)


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


COMMANDS = (run, check, lr_find, tournament)
"""In the order in which help shows them."""
