"""The subcommands of the first hour; `pipeline.cli` puts them into the command."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from pipeline.commands.options import Json


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


COMMANDS = (presets,)
"""In the order in which help shows them."""
