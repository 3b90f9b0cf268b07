"""Options that several subcommands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from serving.access import OPEN, Access

ModelDir = Annotated[Path, typer.Option(help="The push directory: one folder per version.")]
Name = Annotated[str, typer.Option(help="The model's name on the server.")]
NameInFile = Annotated[
    str | None,
    typer.Option(
        help="The model's name in requests; default: the one in models.config, else `classifier`."
    ),
]
Servers = Annotated[
    list[str] | None,
    typer.Option(
        "--server",
        help="HOST:PORT of a server to change at once; repeat it for all servers. Each gets the"
        " whole models.config, and unloads every model that is not in it.",
    ),
]
Authority = Annotated[
    Path | None,
    typer.Option(
        "--ca", help="TLS: PEM file of the authority that signed the server's certificate."
    ),
]
Certificate = Annotated[
    Path | None, typer.Option("--cert", help="mTLS: PEM file of the client's certificate.")
]
CertificateKey = Annotated[
    Path | None, typer.Option("--key", help="mTLS: PEM file of that certificate's key.")
]
TokenFile = Annotated[
    Path | None, typer.Option(help="File with a bearer token, which is sent over TLS only.")
]
Json = Annotated[bool, typer.Option("--json", help="Prints JSON on standard output, for programs.")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="A configuration file (YAML).")]
Preset = Annotated[
    str | None,
    typer.Option(help="A configuration that comes with the project, such as solar-cells."),
]
Sources = Annotated[
    list[str] | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Folder of pictures, manifest or TFRecords; repeat it for several.",
    ),
]
Folders = Annotated[
    list[str] | None,
    typer.Argument(metavar="[DIR]...", help="The same as --data, without the word."),
]
Root = Annotated[str | None, typer.Option(help="Folder of artifacts, metadata and logs.")]
DEFAULT_ROOT = "transfer-pipeline-runs"  # of `runtime.root`
WHICH_RUN = "A run's id or its beginning; `latest` is the newest, `previous` the one before it."
OneRun = Annotated[str, typer.Argument(metavar="RUN", help=WHICH_RUN)]
OtherRun = Annotated[
    str, typer.Argument(metavar="RUN", help="The run to compare it with, named likewise.")
]
RunsRoot = Annotated[str, typer.Option(help="Folder of artifacts, metadata and logs.")]
Metadata = Annotated[
    str | None,
    typer.Option(help="A server's URL or a SQLite file; default: the metadata in --root."),
]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Overrides a key, as training.seed=1; repeat it for several.",
    ),
]

ServingFile = Annotated[
    Path | None,
    typer.Option(
        exists=True, dir_okay=False, help="A file for TensorFlow Serving's flag of this name."
    ),
]


def access_to(servers: str | list[str] | None, *files: Path | None) -> Access:
    """Returns how servers are reached, by the four options above in their order.

    Raises:
      typer.BadParameter: no server is named that they could be for.
    """
    access = Access(*files)
    if access != OPEN and not servers:
        raise typer.BadParameter(
            "--ca, --cert, --key and --token-file are for servers: name them with --server"
        )
    return access
