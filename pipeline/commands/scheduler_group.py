"""The subcommands for schedulers; `pipeline.cli` puts them into the command."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.options import Assignments
from pipeline.launch import environment, scratch


class Target(str, Enum):
    """The program that `compile` writes for."""

    tfx = "tfx"  # a file that `run-node` reads
    kubeflow = "kubeflow"
    airflow = "airflow"  # a DAG file, and a JSON file beside it
    vertex = "vertex"


def compile_pipeline(
    config: Annotated[Path, typer.Option(help="A configuration file (YAML).")],
    target: Annotated[
        Target,
        typer.Option(help="airflow, kubeflow, vertex or tfx: which scheduler the file is for."),
    ],
    output: Annotated[
        str,
        typer.Option(help="The file to write: .py for airflow, .yaml for kubeflow, else .json."),
    ],
    assignments: Assignments = None,
) -> None:
    """Writes the pipeline for a scheduler, or for `run-node`.

    Example: transfer-pipeline compile --config pets.yaml --target airflow --output pets.py
    """
    from pipeline.commands.compile import compile_to

    compile_to(config, assignments or [], target.value, output)


def run_node(
    pipeline: Annotated[str, typer.Option(help="The file that `compile --target tfx` wrote.")],
    node: Annotated[str, typer.Option(help="The id of the node to run, such as Trainer.")],
    run_id: Annotated[str, typer.Option(help="The run's id, the same for all its nodes.")],
) -> None:
    """Runs one node of a compiled pipeline, for a scheduler.

    Example: transfer-pipeline run-node --pipeline pets.json --node Trainer --run-id monday
    """
    with environment.heavy_imports():
        from pipeline import node_runner

    compiled = node_runner.read_compiled(pipeline)
    with scratch.folder():
        state = node_runner.run_node(node_runner.bind(compiled, run_id), node)
    print(f"{node}: {state}")


def add_to(app: typer.Typer) -> None:
    """Adds the subcommands; `compile` has a function of another name, which Python's own has."""
    app.command("compile")(compile_pipeline)
    app.command()(run_node)
