"""Nodes that know folders only run where the root is none; half an upload is never published."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from tfx.dsl.compiler.compiler import Compiler
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable.beam_executor_operator import BeamExecutorOperator
from tfx.proto.orchestration import executable_spec_pb2

from components.errors import ConfigError
from components.settings import metadata
from pipeline import config, node_runner
from pipeline.definition import create_pipeline
from pipeline.launch.node_launcher import distributed, works_on_copies
from pipeline.store import remote_files, runs
from pipeline.store.remote_files import FileSystemUnavailable
from tests.explains import refused
from tests.pipeline import made_nodes
from tests.pipeline.store.made_store import MadeStore

ROOT = "made://bucket/runs/two"
AGAIN = {"allowed": "Is the file system mounted", "next": "Nothing was lost: once it answers"}


class Place:
    """A store, and what runs on it."""

    def __init__(self, folder: Path):
        self.scratch = folder / "tmp"
        self.scratch.mkdir()
        self.store = folder / "store"
        MadeStore.keep_in(self.store)
        self.connection = metadata.connection_config(str(folder / "metadata.sqlite"))
        self.compiled = made_nodes.compiled(ROOT, self.connection)

    def run(self, node: str, run_id: str = "monday") -> str:
        return node_runner.run_node(node_runner.bind(self.compiled, run_id), node)

    def outputs(self, run_id: str = "monday") -> dict[str, Any]:
        return runs.read_run(self.connection, run_id).outputs


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(remote_files, "WAITS", (0.01, 0.01))
    made = Place(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(made.scratch))
    return made


def test_nodes_find_local_copies_and_publish_what_lies_in_the_root(place: Place) -> None:
    assert [place.run("Write"), place.run("Read")] == ["ran", "ran"]
    outputs = place.outputs()
    assert outputs["Write", "examples"].uri == f"{ROOT}/Write/examples/1"
    where = outputs["Write", "examples"].custom_properties["where"].string_value
    assert where == f"in {ROOT}/Write/examples/1"
    found = runs.read_run(place.connection, "monday").document(("Read", "model"), "found.json")
    assert found["files"] == ["Split-eval", "Split-train", "Split-train/pictures"]
    assert found["content"] == "pictures"
    assert found["here"].startswith(str(place.scratch))
    assert found["state"].startswith(f"{ROOT}/Read/.system/")  # it outlives this machine
    assert not list(place.scratch.iterdir())
    assert [place.run("Write"), place.run("Read")] == ["ran", "ran"]
    assert [place.run("Write", "tuesday"), place.run("Read", "tuesday")] == ["cached", "cached"]


def test_nodes_run_on_a_file_system_of_tensorflow_s_as_they_would_on_a_bucket(place: Place) -> None:
    compiled = made_nodes.compiled("ram://bucket/runs/two", place.connection)
    for run_id, state in (("monday", "ran"), ("tuesday", "cached")):
        bound = node_runner.bind(compiled, run_id)
        assert [node_runner.run_node(bound, node) for node in ("Write", "Read")] == [state, state]
    found = runs.read_run(place.connection, "tuesday").document(("Read", "model"), "found.json")
    assert found["files"] == ["Split-eval", "Split-train", "Split-train/pictures"]
    assert not list(place.scratch.iterdir())


def test_a_root_whose_file_system_nobody_registered_is_refused_at_once(place: Place) -> None:
    bound = node_runner.bind(made_nodes.compiled("nowhere://b/two", place.connection), "monday")
    with refused(
        ConfigError,
        found="nowhere://b/two failed: no file system is registered",
        allowed="TensorFlow has gs:// itself",
        next="Install this project's extra",
    ):
        node_runner.run_node(bound, "Write")


def test_an_upload_that_fails_publishes_nothing_and_the_same_run_ends_well(place: Place) -> None:
    MadeStore.refused = ("Split-train/pictures",)
    with refused(
        FileSystemUnavailable, found="Copying .* to made://bucket.*store refuses", **AGAIN
    ):
        place.run("Write")
    assert not place.outputs()
    assert not [file for file in MadeStore.files() if "Write/examples/" in file]
    assert not list(place.scratch.iterdir())
    MadeStore.refused = ()
    assert place.run("Write") == "ran"
    assert place.run("Read") == "ran"


def test_what_a_killed_attempt_uploaded_is_cleared_away(place: Place) -> None:
    half = place.store / "bucket/runs/two/Write/examples/1/Split-train"
    half.mkdir(parents=True)
    (half / "half").write_text("of another attempt")
    place.run("Write")
    assert "bucket/runs/two/Write/examples/1/Split-train/half" not in MadeStore.files()


def test_an_input_that_is_gone_is_told_with_its_address_and_nothing_is_lost(place: Place) -> None:
    place.run("Write")
    lost = place.store / "bucket/runs/two/Write/examples/1"
    lost.rename(place.store / "away")
    with refused(
        FileSystemUnavailable, found=f"{ROOT}/Write/examples/1 failed.*not there", **AGAIN
    ):
        place.run("Read")
    (place.store / "away").rename(lost)
    assert place.run("Read") == "ran"


def test_a_root_that_refuses_is_told_with_its_address(place: Place) -> None:
    MadeStore.refused = ("bucket",)
    with refused(FileSystemUnavailable, found=f"folder {ROOT} failed", **AGAIN):
        place.run("Write")
    MadeStore.refused = ()
    assert place.run("Write") == "ran"


def test_a_folder_that_is_no_longer_mounted_is_told(tmp_path: Path, place: Place) -> None:
    mount = tmp_path / "mount"
    compiled = made_nodes.compiled(str(mount / "two"), place.connection)
    bound = node_runner.bind(compiled, "monday")
    assert node_runner.run_node(bound, "Write") == "ran"
    mount.rename(tmp_path / "away")
    mount.mkdir()
    with refused(FileSystemUnavailable, found=f"{mount}/two/Write/examples/1 failed", **AGAIN):
        node_runner.run_node(bound, "Read")
    mount.rename(tmp_path / "bare")
    mount.write_text("no folder")
    with refused(FileSystemUnavailable, found=f"{mount}/two failed", **AGAIN):
        node_runner.run_node(bound, "Read")
    mount.unlink()
    (tmp_path / "away").rename(mount)
    assert node_runner.run_node(bound, "Read") == "ran"


def test_a_compiled_pipeline_may_lie_there_too(place: Place) -> None:
    path = f"{ROOT}/.compiled/monday.json"
    node_runner.write_compiled(place.compiled, path)
    # As JSON: messages within messages are bytes, in which maps have no order.
    read = json_format.MessageToDict(node_runner.read_compiled(path))
    assert read == json_format.MessageToDict(place.compiled)
    assert json.loads((place.store / "bucket/runs/two/.compiled/monday.json").read_text())


def test_beam_elsewhere_has_its_own_way_to_the_root_and_networks_are_loaded_from_copies() -> None:
    dataflow = ["--runner=DataflowRunner", "--region=r"]
    tree: dict[str, Any] = {
        "data": {"source": "gs://bucket/pictures"},
        "push": {"directory": "/served"},
        "runtime": {"root": "gs://bucket/runs", "metadata": "grpc://metadata", "beam": dataflow},
    }
    compiled = Compiler().compile(create_pipeline(config.build(tree)))
    deployment = runner_utils.extract_local_deployment_config(compiled)
    specs = {
        node: runner_utils.extract_executor_spec(deployment, node)
        for node in node_runner.node_ids(compiled)
    }
    beam = executable_spec_pb2.BeamExecutableSpec
    nodes = {each.pipeline_node.node_info.id: each.pipeline_node for each in compiled.nodes}
    operators = {
        node: BeamExecutorOperator(spec) for node, spec in specs.items() if isinstance(spec, beam)
    }
    elsewhere = {node for node, operator in operators.items() if distributed(operator)}
    assert elsewhere == {"ImageExampleGen", "StatisticsGen", "BottleneckGen", "Evaluator"}
    copied = {node for node, found in operators.items() if works_on_copies(found, nodes[node])}
    assert copied == {"Transform", "BottleneckGen", "Evaluator"}
