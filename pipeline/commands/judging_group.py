"""The subcommands that judge a model which is pushed already; `pipeline.cli` has them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from components.files.cache_folder import local_root
from pipeline.commands.options import (
    DEFAULT_ROOT,
    Authority,
    Certificate,
    CertificateKey,
    Json,
    Metadata,
    Name,
    RunsRoot,
    TokenFile,
    access_to,
)


def evaluate(
    data: Annotated[
        str, typer.Option(metavar="DIR", help="Labelled pictures, as `run` reads them.")
    ],
    model_dir: Annotated[
        Path | None, typer.Option(help="The push directory: one folder per version.")
    ] = None,
    version: Annotated[
        int | None, typer.Option(help="Asks this version; default: the served one.")
    ] = None,
    server: Annotated[
        str | None, typer.Option(help="HOST:PORT of a server's gRPC, in place of --model-dir.")
    ] = None,
    name: Name = "classifier",
    ca: Authority = None,
    cert: Certificate = None,
    key: CertificateKey = None,
    token_file: TokenFile = None,
    against: Annotated[
        int | None, typer.Option(help="Compares with this version on the same pictures.")
    ] = None,
    page: Annotated[Path | None, typer.Option(help="Writes an HTML page to this file.")] = None,
    as_json: Json = False,
) -> None:
    """Measures a pushed model on labelled pictures that training never saw.

    Example: transfer-pipeline evaluate --data new --model-dir runs/served/pets --page new.html
    """
    from pipeline.commands import evaluate as evaluate_command

    evaluate_command.evaluate(
        evaluate_command.Request(
            data=data,
            model_dir=model_dir,
            version=version,
            server=server,
            name=name,
            access=access_to(server, ca, cert, key, token_file),
            against=against,
            page=page,
            as_json=as_json,
        )
    )


def watch(
    records: Annotated[
        Path, typer.Option(metavar="DIR", help="What `serve --record` or Client(record=) kept.")
    ],
    root: RunsRoot = DEFAULT_ROOT,
    metadata: Metadata = None,
    days: Annotated[int, typer.Option(min=1, help="Reads the records of so many days.")] = 7,
    labels: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CSV with sha256 and label: labels that came later."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compares served pictures with the data of the run that pushed the version; 1: unlike.

    Example: transfer-pipeline watch --records served-pictures --root runs --labels looked-at.csv
    """
    from pipeline.commands import watch as watch_command

    request = watch_command.Request(
        records=records,
        root=local_root(root),
        metadata=metadata,
        days=days,
        labels=labels,
        as_json=as_json,
    )
    if not watch_command.watch(request):
        raise typer.Exit(1)


COMMANDS = (evaluate, watch)
"""In the order in which help shows them."""
