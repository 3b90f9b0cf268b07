"""The subcommands on the runs of a root; `pipeline.cli` puts them into the command."""

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

Opened = Annotated[bool, typer.Option("--open", help="Opens the page in the browser, too.")]


def runs(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="With --page: the page; default: ROOT/runs.html."),
    ] = None,
    root: RunsRoot = DEFAULT_ROOT,
    metadata: Metadata = None,
    as_json: Json = False,
    page: Annotated[
        bool, typer.Option("--page", help="Writes one HTML page of all runs and prints its path.")
    ] = False,
    opened: Opened = False,
) -> None:
    """Lists the runs of a root, the newest first, or writes a page of them.

    Example: transfer-pipeline runs --root /srv/runs --page --open
    """
    from pipeline.commands.runs import list_runs
    from pipeline.commands.runs import page as write_page

    if page or opened:
        write_page(local_root(root), file, as_json, metadata, opened)
        return
    if file:
        raise typer.BadParameter(f"FILE goes with --page; found {file} without it")

    list_runs(local_root(root), as_json, metadata)


def compare(
    one: OneRun,
    other: OtherRun,
    root: RunsRoot = DEFAULT_ROOT,
    metadata: Metadata = None,
    as_json: Json = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Prints the rows that are the same, too.")
    ] = False,
) -> None:
    """Prints what differs between two runs: settings, metrics and verdicts, side by side.

    Example: transfer-pipeline compare previous latest --root runs
    """
    from pipeline.commands.runs import compare as compare_runs

    compare_runs(local_root(root), (one, other), as_json, metadata, everything)


def report(
    run: Annotated[
        str,
        typer.Argument(metavar="[RUN]", help=WHICH_RUN),
    ] = "latest",
    root: RunsRoot = DEFAULT_ROOT,
    metadata: Metadata = None,
    pipeline: Annotated[
        str | None, typer.Option(help="The run's compiled pipeline, in place of --root.")
    ] = None,
    copy_to: Annotated[
        Path | None, typer.Option(help="With --pipeline: the folder to copy page and metrics into.")
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(help="The CSV file to write: a row per test picture with its prediction."),
    ] = None,
    mistakes: Annotated[
        Path | None,
        typer.Option(help="The folder to make: copies by DIR/TRUTH/as-PREDICTION of all mistakes."),
    ] = None,
    opened: Opened = False,
    as_json: Json = False,
) -> None:
    """Prints the path of a run's page, copies the page, or writes the predictions as files.

    Example: transfer-pipeline report --root runs --predictions predictions.csv
    """
    if pipeline and opened:
        raise typer.BadParameter("--open shows a page of a --root, not of a --pipeline")
    if (pipeline is None) != (copy_to is None):
        raise typer.BadParameter("--pipeline and --copy-to go together")
    if pipeline and as_json:
        raise typer.BadParameter("--json tells of a page of a --root, not of a --pipeline")
    if pipeline and (predictions or mistakes):
        raise typer.BadParameter("--predictions and --mistakes read a --root, no --pipeline")
    if predictions or mistakes:
        from pipeline.commands.predictions_file import write_files

        write_files(local_root(root), run, predictions, mistakes, metadata, as_json)
        return
    if pipeline and copy_to:
        from pipeline.targets.report_copy import copy_report

        copy_report(pipeline, run, copy_to)
        return
    from pipeline.commands.runs import report as print_page

    print_page(local_root(root), run, metadata, opened, as_json)


def clean(
    root: RunsRoot = DEFAULT_ROOT,
    yes: Annotated[
        bool, typer.Option("--yes", help="Removes what is listed; without it nothing is removed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Lists what no run, version or command needs in a root, and its size; --yes removes it.

    Example: transfer-pipeline clean --root runs --yes
    """
    from pipeline.commands.clean import clean as clean_root

    clean_root(local_root(root), yes=yes, as_json=as_json)


COMMANDS = (runs, compare, report, clean)
"""In the order in which help shows them."""
