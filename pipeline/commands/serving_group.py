"""The subcommands around what is served; `pipeline.cli` puts them into the command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.options import (
    Authority,
    Certificate,
    CertificateKey,
    Json,
    Name,
    ServingFile,
    TokenFile,
)
from serving.access import Access
from serving.options import GREATEST_PORT
from serving.recording.settings import EVERY, Recording


def serve(
    model_dir: Annotated[
        Path | None, typer.Option(help="The push directory: one folder per version.")
    ] = None,
    name: Name = "classifier",
    port: Annotated[int, typer.Option(min=0, max=GREATEST_PORT, help="Port for gRPC.")] = 8500,
    rest_port: Annotated[
        int,
        typer.Option(min=0, max=GREATEST_PORT, help="Port for REST and a page to try the model."),
    ] = 8501,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    model_config_file: ServingFile = None,
    batching_parameters_file: ServingFile = None,
    ssl_config_file: ServingFile = None,
    local: Annotated[
        bool,
        typer.Option(
            "--local",
            help="Starts the development server even where TensorFlow Serving is installed.",
        ),
    ] = False,
    record: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Keeps some pictures' facts and predictions there, for `watch`."
        ),
    ] = None,
    record_every: Annotated[
        int, typer.Option(min=1, metavar="N", help="With --record: keeps one in N pictures.")
    ] = EVERY,
    record_thumbnail: Annotated[
        int,
        typer.Option(
            min=0, metavar="PIXELS", help="With --record: keeps a JPEG of that size, too; 0: none."
        ),
    ] = 0,
) -> None:
    """Serves the newest version by TensorFlow Serving, else by a development server.

    Example: transfer-pipeline serve --model-dir runs/served/pets
    """
    from pipeline.commands.serve import serve as serve_models
    from serving.options import ServeOptions

    if (model_dir is None) == (model_config_file is None):
        raise typer.BadParameter("name either --model-dir or --model-config-file")
    kept = Recording(record, record_every, thumbnail=record_thumbnail) if record else None
    files = (model_config_file, batching_parameters_file, ssl_config_file)
    options = ServeOptions(model_dir, name, port, rest_port, host, *files, record=kept)
    serve_models(options, local)


def classify(
    images: Annotated[
        list[str],
        typer.Argument(help="Pictures, and folders of them; also s3://BUCKET/... and the like."),
    ],
    server: Annotated[str, typer.Option(help="HOST:PORT of the server's gRPC.")] = "localhost:8500",
    name: Name = "classifier",
    version: Annotated[int | None, typer.Option(help="Asks this version, not the newest.")] = None,
    label: Annotated[
        str | None, typer.Option(help="Asks the version with this label: stable or canary.")
    ] = None,
    ca: Authority = None,
    cert: Certificate = None,
    key: CertificateKey = None,
    token_file: TokenFile = None,
    top: Annotated[int, typer.Option(min=1, help="How many classes to show per picture.")] = 3,
    as_json: Json = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Prints a table with a row per picture.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option(help="Writes to this file instead of standard output.")
    ] = None,
    certain: Annotated[
        bool,
        typer.Option("--certain", help="Shows only the predictions that the model is certain of."),
    ] = False,
    imagenet: Annotated[
        str | None,
        typer.Option(help="Asks this backbone's own ImageNet classifier instead of a server."),
    ] = None,
) -> None:
    """Asks a server for the classes of pictures, and skips broken ones.

    Folders that are named by the model's classes tell the truth: accuracy follows at the end.
    Example: transfer-pipeline classify pictures --csv --output answers.csv
    """
    from pipeline.commands.classify import Request
    from pipeline.commands.classify import classify as classify_pictures

    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv exclude each other")
    style = "json" if as_json else "csv" if as_csv else "text"
    access = Access(ca, cert, key, token_file)
    asked = (images, server, name, version, label, access, top, style, output)
    if not classify_pictures(Request(*asked, imagenet, certain)):
        raise typer.Exit(1)


COMMANDS = (serve, classify)
"""In the order in which help shows them."""
