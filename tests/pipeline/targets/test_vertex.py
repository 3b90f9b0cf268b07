"""Vertex AI's client takes the compiled job, and its steps find everything that it names."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from google.auth import credentials
from google.cloud import aiplatform
from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_entrypoint_utils
from tfx.utils import import_utils

from components.artifacts.types import ClassList
from components.errors import ConfigError
from pipeline import config
from pipeline.targets.vertex import compile_for_vertex
from tests.explains import refused


def make(**places: str) -> config.Config:
    return config.build(
        {
            "data": {"source": "gs://bucket/pictures"},
            "push": {"directory": places.get("push", "/gcs/bucket/served")},
            "runtime": {
                "root": places.get("root", "gs://bucket/runs"),
                "kubeflow": {"image": "registry/pipeline:1"},
            },
        }
    )


@pytest.fixture(scope="module")
def job_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("vertex") / "job.json"
    compile_for_vertex(make(), file)
    return file


@pytest.fixture(scope="module")
def spec(job_file: Path) -> dict[str, Any]:
    return json.loads(job_file.read_text())["pipelineSpec"]


def test_vertex_ais_client_takes_it_as_a_pipeline_job(job_file: Path) -> None:
    job = aiplatform.PipelineJob(
        display_name="weekly",
        template_path=str(job_file),
        project="project",
        location="us-central1",
        credentials=credentials.AnonymousCredentials(),
    )
    resource = job.to_dict()
    assert resource["displayName"] == "weekly"
    assert "Trainer" in resource["pipelineSpec"]["root"]["dag"]["tasks"]
    assert resource["runtimeConfig"]["gcsOutputDirectory"] == "gs://bucket/runs/image-classifier"


def test_every_node_is_a_step_in_the_image_by_the_projects_python(spec: dict[str, Any]) -> None:
    tasks = spec["root"]["dag"]["tasks"]
    executors = spec["deploymentSpec"]["executors"]
    assert {"ImageExampleGen", "Trainer", "Evaluator", "Pusher", "Report"} <= tasks.keys()
    assert len(executors) == len(tasks)
    assert set(tasks["Pusher"]["dependentTasks"]) == {"Trainer", "Evaluator", "InfraValidator"}
    for executor in executors.values():
        container = executor["container"]
        assert container["image"] == "registry/pipeline:1"
        module = container["command"][-1]
        assert container["command"] == ["/opt/pipeline/bin/python", "-m", module]
        assert importlib.util.find_spec(module)
        class_path = container["args"][container["args"].index("--executor_class_path") + 1]
        assert import_utils.import_class_by_path(class_path)


def test_a_step_finds_the_class_of_every_artifact(spec: dict[str, Any]) -> None:
    titles = set()
    for component in spec["components"].values():
        for side in ("inputDefinitions", "outputDefinitions"):
            for given in component.get(side, {}).get("artifacts", {}).values():
                schema = kubeflow_v2_entrypoint_utils.pipeline_pb2.ArtifactTypeSchema(
                    instance_schema=given["artifactType"]["instanceSchema"]
                )
                path = kubeflow_v2_entrypoint_utils._retrieve_class_path(schema)
                titles.add(path)
                assert import_utils.import_class_by_path(path)()
    assert "components.ClassList" in titles
    assert ClassList.TYPE_NAME == "ClassList"  # everywhere else


def test_what_the_steps_could_not_reach_is_refused(tmp_path: Path) -> None:
    bucket = {"allowed": "share no disk", "next": "Name a folder in a bucket"}
    with refused(ConfigError, found="runtime.root: found /runs", **bucket):
        compile_for_vertex(make(root="/runs"), tmp_path / "job.json")
    with refused(ConfigError, found="push.directory: found /served", **bucket):
        compile_for_vertex(make(push="/served"), tmp_path / "job.json")
    with refused(
        ConfigError, found="--output: found job.yaml", allowed="ends in .json", next="Name such a"
    ):
        compile_for_vertex(make(), tmp_path / "job.yaml")
