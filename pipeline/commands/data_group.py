"""The subcommands that look at a run's data; `pipeline.cli` puts them into the command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from components.files.cache_folder import local_root
from pipeline.commands.options import (
    DEFAULT_ROOT,
    WHICH_RUN,
    Json,
    Metadata,
    OneRun,
    OtherRun,
    RunsRoot,
)

data = typer.Typer(help="Compares the pictures of runs.", no_args_is_help=True)


def doubts(
    root: RunsRoot = DEFAULT_ROOT,
    run: Annotated[str, typer.Option(help=WHICH_RUN)] = "latest",
    output: Annotated[
        Path | None,
        typer.Option(help="The CSV file to write, in the form of data.corrections; a new one."),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Ranks all pictures; those not in doubt keep their label."),
    ] = False,
    metadata: Metadata = None,
    as_json: Json = False,
) -> None:
    """Lists the labels in doubt of a run, or writes them as a table for data.corrections."""
    from pipeline.commands.doubts import doubts as list_doubts

    list_doubts(
        local_root(root), run, output=output, everything=everything, as_json=as_json, store=metadata
    )


@data.command(epilog="Example: transfer-pipeline data diff previous latest --root runs")
def diff(
    one: OneRun,
    other: OtherRun,
    root: RunsRoot = DEFAULT_ROOT,
    metadata: Metadata = None,
    as_json: Json = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Prints all pictures, not ten of a kind.")
    ] = False,
) -> None:
    """Prints which pictures came, went or changed their label between two runs."""
    from pipeline.commands.data_diff import diff as print_differences

    print_differences(
        local_root(root), (one, other), as_json=as_json, everything=everything, store=metadata
    )


def add_to(app: typer.Typer) -> None:
    """Adds the subcommands to the command."""
    app.command(epilog="Example: transfer-pipeline doubts --root runs --output doubts.csv")(doubts)
    app.add_typer(data, name="data")
