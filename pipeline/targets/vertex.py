"""Compiles for Vertex AI Pipelines by TFX's own runner. Compiled and validated, never run.

Vertex AI runs a node's executor alone: of the drivers it knows that of TFX's file-based ExampleGen
and no other (tfx/orchestration/kubeflow/v2/step_builder.py); docs/schedulers.md says what follows.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner
from tfx.types.artifact import Artifact

from components.artifacts import types as artifact_types
from components.errors import ConfigError
from pipeline.config import Config
from pipeline.definition import create_pipeline

# Of kubeflow/Dockerfile.
_PYTHON = "/opt/pipeline/bin/python"
_ENTRY = "tfx.orchestration.kubeflow.v2.container.kubeflow_v2_run_executor"


def compile_for_vertex(config: Config, output: Path) -> None:
    """Writes the pipeline as a PipelineJob's JSON.

    Raises:
      ConfigError: the steps could not reach a folder, or the file's name is wrong.
    """
    if output.suffix != ".json":
        raise ConfigError(
            f"--output: found {output.name}; a PipelineJob's file ends in .json. Name such a file."
        )
    places = [
        ("runtime.root", config.runtime.root, "gs://"),
        ("push.directory", config.push.directory, "/gcs/"),  # where a step sees a bucket as files
    ]
    for key, place, begin in places:
        if not place.startswith(begin):
            raise ConfigError(
                f"{key}: found {place}; Vertex AI's steps share no disk. Name a folder in a "
                f"bucket, as {begin}BUCKET/FOLDER."
            )
    settings = kubeflow_v2_dag_runner.KubeflowV2DagRunnerConfig(
        default_image=config.runtime.kubeflow.image, default_commands=[_PYTHON, "-m", _ENTRY]
    )
    runner = kubeflow_v2_dag_runner.KubeflowV2DagRunner(
        settings, output_dir=str(output.parent), output_filename=output.name
    )
    with _importable_type_names():
        runner.run(create_pipeline(config))


@contextmanager
def _importable_type_names() -> Iterator[None]:
    """Renames our artifact types to what Vertex AI's steps import: `components.ClassList`."""
    ours: list[Any] = [
        member
        for _, member in inspect.getmembers(artifact_types, inspect.isclass)
        if issubclass(member, Artifact) and member is not Artifact
    ]
    names = {member: member.TYPE_NAME for member in ours}
    for member in ours:
        member.TYPE_NAME = f"components.{member.__name__}"
    try:
        yield
    finally:
        for member, name in names.items():
            member.TYPE_NAME = name
