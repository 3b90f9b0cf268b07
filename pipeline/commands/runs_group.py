"""The subcommands on the runs of a root; `pipeline.cli` puts them into the command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from components.files.cache_folder import local_root
from pipeline.commands.options import Json, Metadata, RunsRoot

_WHICH_RUN = "A run's id or its beginning; `latest` is the newest, `previous` the one before it."
_DEFAULT_ROOT = "transfer-pipeline-runs"  # of `runtime.root`


def runs(
    root: RunsRoot = _DEFAULT_ROOT,
    metadata: Metadata = None,
    as_json: Json = False,
) -> None:
    """Lists the runs of a root, the newest first."""
    from pipeline.commands.runs import list_runs

    list_runs(local_root(root), as_json, metadata)


def compare(
    one: Annotated[
        str,
        typer.Argument(metavar="RUN", help=_WHICH_RUN),
    ],
    other: Annotated[
        str, typer.Argument(metavar="RUN", help="The run to compare it with, named likewise.")
    ],
    root: RunsRoot = _DEFAULT_ROOT,
    metadata: Metadata = None,
    as_json: Json = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Prints the rows that are the same, too.")
    ] = False,
) -> None:
    """Prints what differs between two runs: settings, metrics and verdicts, side by side."""
    from pipeline.commands.runs import compare as compare_runs

    compare_runs(local_root(root), (one, other), as_json, metadata, everything)


def report(
    run: Annotated[
        str,
        typer.Argument(metavar="[RUN]", help=_WHICH_RUN),
    ] = "latest",
    root: RunsRoot = _DEFAULT_ROOT,
    metadata: Metadata = None,
    pipeline: Annotated[
        str | None, typer.Option(help="The run's compiled pipeline, in place of --root.")
    ] = None,
    copy_to: Annotated[
        Path | None, typer.Option(help="With --pipeline: the folder to copy page and metrics into.")
    ] = None,
) -> None:
    """Prints the path of a run's page, or copies the page."""
    if (pipeline is None) != (copy_to is None):
        raise typer.BadParameter("--pipeline and --copy-to go together")
    if pipeline and copy_to:
        from pipeline.targets.report_copy import copy_report

        copy_report(pipeline, run, copy_to)
        return
    from pipeline.commands.runs import report as print_page

    print_page(local_root(root), run, metadata)


COMMANDS = (runs, compare, report)
"""In the order in which help shows them."""
