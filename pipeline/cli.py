"""The command `transfer-pipeline`. Heavy imports wait until a subcommand needs them."""

from __future__ import annotations

import json
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from components.errors import ConfigError, UserError
from pipeline import environment
from serving.versions import VersionError, published
from serving.versions import rollback as roll_back

app = typer.Typer(
    help="From a folder of labelled pictures to a gated, served image classifier.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_DEFAULT_ROOT = Path("transfer-pipeline-runs")  # of `runtime.root`
_IN_EXTRA_PIPELINE = ("tfx", "ml_metadata", "apache_beam", "tensorflow_model_analysis")

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
RunsRoot = Annotated[Path, typer.Option(help="Folder of artifacts, metadata and logs.")]
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


class Target(str, Enum):
    """What `compile` writes."""

    tfx = "tfx"  # what `run-node` reads
    kubeflow = "kubeflow"
    airflow = "airflow"  # a DAG file, and a JSON file beside it
    vertex = "vertex"


def main() -> None:
    """Runs the command; the exit code is 0, 1 (failed or refused) or 2 (the words are wrong)."""
    environment.prepare()
    try:
        app()
    except (UserError, VersionError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, ConfigError | VersionError) else 1)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in _IN_EXTRA_PIPELINE:
            raise
        extra = "pip install 'transfer-pipeline[pipeline]'"
        print(f"error: this needs the package {error.name}: {extra}", file=sys.stderr)
        sys.exit(1)


@app.command()
def run(
    config: ConfigFile = None,
    preset: Preset = None,
    data: Sources = None,
    root: Root = None,
    assignments: Assignments = None,
    from_node: Annotated[str | None, typer.Option("--from", help="The first node to run.")] = None,
    to_node: Annotated[str | None, typer.Option("--to", help="The last node to run.")] = None,
    bless: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Pushes in spite of the gate; the reason is kept."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Trains, judges and pushes."""
    from pipeline import run_command

    request = run_command.Request(
        config, preset, _sources(data), root, assignments or [], from_node, to_node, as_json, bless
    )
    raise typer.Exit(run_command.run(request))


@app.command()
def check(
    data: Sources = None,
    config: ConfigFile = None,
    preset: Preset = None,
    assignments: Assignments = None,
    as_json: Json = False,
) -> None:
    """Reads the pictures and says what a run with the same words would reject, without training."""
    from pipeline.check_command import check as check_pictures
    from pipeline.run_command import Request, build_config

    request = Request(config, preset, _sources(data), None, assignments or [])
    check_pictures(build_config(request).data, as_json)


def _sources(data: list[str] | None) -> str | list[str] | None:
    return data[0] if data and len(data) == 1 else data


@app.command()
def runs(
    root: RunsRoot = _DEFAULT_ROOT,
    metadata: Metadata = None,
    as_json: Json = False,
) -> None:
    """Lists the runs of a root, the newest first."""
    from pipeline.runs_command import list_runs

    list_runs(root, as_json, metadata)


@app.command()
def compare(
    one: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, or how it begins.")],
    other: Annotated[str, typer.Argument(metavar="RUN", help="Another; `latest` is the newest.")],
    root: RunsRoot = _DEFAULT_ROOT,
    metadata: Metadata = None,
    as_json: Json = False,
) -> None:
    """Prints figures and verdicts of two runs side by side."""
    from pipeline.runs_command import compare as compare_runs

    compare_runs(root, (one, other), as_json, metadata)


@app.command()
def report(
    run: Annotated[
        str, typer.Argument(metavar="[RUN]", help="Its id, or how it begins.")
    ] = "latest",
    root: RunsRoot = _DEFAULT_ROOT,
    metadata: Metadata = None,
    pipeline: Annotated[
        Path | None, typer.Option(help="The run's compiled pipeline, in place of --root.")
    ] = None,
    copy_to: Annotated[
        Path | None, typer.Option(help="With --pipeline: a folder for page and figures.")
    ] = None,
) -> None:
    """Prints the path of a run's page, or copies the page."""
    if (pipeline is None) != (copy_to is None):
        raise typer.BadParameter("--pipeline and --copy-to go together")
    if pipeline and copy_to:
        from pipeline.report_copy import copy_report

        copy_report(pipeline, run, copy_to)
        return
    from pipeline.runs_command import report as print_page

    print_page(root, run, metadata)


@app.command()
def serve(
    model_dir: Annotated[
        Path | None, typer.Option(help="The push directory: one folder per version.")
    ] = None,
    name: Name = "classifier",
    port: Annotated[int, typer.Option(help="For gRPC.")] = 8500,
    rest_port: Annotated[int, typer.Option(help="For REST and a page to try it.")] = 8501,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    model_config_file: ServingFile = None,
    batching_parameters_file: ServingFile = None,
    ssl_config_file: ServingFile = None,
    local: Annotated[bool, typer.Option("--local", help="Not TensorFlow Serving itself.")] = False,
) -> None:
    """Serves the newest version: by TensorFlow Serving if found, else for development only."""
    from pipeline.serve_command import serve as serve_models
    from serving.local_server import ServeOptions

    if (model_dir is None) == (model_config_file is None):
        raise typer.BadParameter("name either --model-dir or --model-config-file")
    files = (model_config_file, batching_parameters_file, ssl_config_file)
    serve_models(ServeOptions(model_dir, name, port, rest_port, host, *files), local)


@app.command()
def classify(
    images: Annotated[list[Path], typer.Argument(help="Pictures, and folders of them.")],
    server: Annotated[str, typer.Option(help="HOST:PORT of the server's gRPC.")] = "localhost:8500",
    name: Name = "classifier",
    version: Annotated[int | None, typer.Option(help="A version, not the newest.")] = None,
    label: Annotated[str | None, typer.Option(help="The version with this label.")] = None,
    ca: Annotated[Path | None, typer.Option(help="TLS: who signed the server's key.")] = None,
    cert: Annotated[Path | None, typer.Option(help="mTLS: our certificate.")] = None,
    key: Annotated[Path | None, typer.Option(help="mTLS: its key.")] = None,
    token_file: Annotated[Path | None, typer.Option(help="A bearer token, over TLS.")] = None,
    top: Annotated[int, typer.Option(min=1, help="How many classes to show.")] = 3,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="A table, a row per picture.")] = False,
    output: Annotated[Path | None, typer.Option(help="A file instead of the screen.")] = None,
    imagenet: Annotated[
        str | None, typer.Option(help="A backbone's own ImageNet classifier, without a server.")
    ] = None,
) -> None:
    """Asks a server what the pictures show, and goes on past broken ones."""
    from pipeline.classify_command import Request
    from pipeline.classify_command import classify as classify_pictures

    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv exclude each other")
    style = "json" if as_json else "csv" if as_csv else "text"
    asked = (images, server, name, version, label, ca, cert, key, token_file, top, style, output)
    if not classify_pictures(Request(*asked, imagenet)):
        raise typer.Exit(1)


@app.command()
def versions(model_dir: ModelDir, as_json: Json = False) -> None:
    """Lists the versions in a push directory."""
    found = published(model_dir)
    if as_json:
        rows = [
            {"version": v.number, "state": v.state, "published": v.published.isoformat()}
            for v in found
        ]
        print(json.dumps(rows))
        return
    for version in found:
        print(f"{version.number}  {version.published:%Y-%m-%d %H:%M:%S} UTC  {version.state}")


@app.command()
def rollback(
    model_dir: ModelDir, to: Annotated[int, typer.Option(help="The version to serve.")]
) -> None:
    """Makes another version the served one; the same command takes it back."""
    roll_back(model_dir, to)
    print(f"{model_dir} serves version {to}")


@app.command()
def canary(
    model_dir: ModelDir,
    name: Name = "classifier",
    base_path: Annotated[str | None, typer.Option(help="DIR as the server sees it.")] = None,
    server: Annotated[
        list[str] | None, typer.Option(help="HOST:PORT to tell at once; several: repeat it.")
    ] = None,
    promote: Annotated[bool, typer.Option("--promote", help="The trial went well.")] = False,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="It did not.")] = False,
) -> None:
    """Puts the newest version on trial under the label `canary`, or ends the trial."""
    from serving import canary as trial

    if promote and withdraw:
        raise typer.BadParameter("--promote and --withdraw exclude each other")
    if promote or withdraw:
        labels = (trial.promote if promote else trial.withdraw)(model_dir, server or ())
    else:
        labels = trial.advance(model_dir, name, base_path, server or ())
    print(f"stable {labels.stable}, canary {labels.canary}: {model_dir / 'models.config'}")


@app.command("compile")
def compile_pipeline(
    config: Annotated[Path, typer.Option(help="A configuration file.")],
    target: Annotated[Target, typer.Option(help="For whom.")],
    output: Annotated[Path, typer.Option(help="The file to write.")],
    assignments: Assignments = None,
) -> None:
    """Writes the pipeline for a scheduler, or for `run-node`."""
    from pipeline.compile_command import compile_to

    compile_to(config, assignments or [], target.value, output)


@app.command()
def run_node(
    pipeline: Annotated[Path, typer.Option(help="What `compile --target tfx` wrote.")],
    node: Annotated[str, typer.Option(help="The node's id.")],
    run_id: Annotated[str, typer.Option(help="The same for all nodes of a run.")],
) -> None:
    """Runs one node of a compiled pipeline, for a scheduler."""
    from pipeline import node_runner

    compiled = node_runner.read_compiled(pipeline)
    state = node_runner.run_node(node_runner.bind(compiled, run_id), node)
    print(f"{node}: {state}")
