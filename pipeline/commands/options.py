"""The options that several subcommands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ModelDir = Annotated[Path, typer.Option(help="The push directory: one folder per version.")]
Name = Annotated[str, typer.Option(help="What the server calls the model.")]
Json = Annotated[bool, typer.Option("--json", help="For programs: JSON on standard output.")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="A configuration file.")]
Preset = Annotated[str | None, typer.Option(help="A configuration that comes with the project.")]
Sources = Annotated[
    list[str] | None,
    typer.Option("--data", metavar="DIR", help="Folder of pictures, manifest; several: repeat it."),
]
Root = Annotated[str | None, typer.Option(help="Folder of artifacts, metadata and logs.")]
RunsRoot = Annotated[str, typer.Option(help="Folder of artifacts, metadata and logs.")]
Metadata = Annotated[
    str | None,
    typer.Option(help="The runs' metadata: a server's URL or SQLite file; not --root's."),
]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Overrides a key, as training.seed=1."),
]

ServingFile = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="As TensorFlow Serving's flag.")
]
