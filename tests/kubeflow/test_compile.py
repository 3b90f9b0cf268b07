"""Runs the script in the environment that has Kubeflow's SDK, which is built where missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
INTERPRETER = ROOT / ".venv-kubeflow" / "bin" / "python"
IMAGE = "example/pipeline:1"

# As TFX's compiler writes them; out of order on purpose.
NODES = {
    "Trainer": ["ExampleGen", "Transform"],
    "ExampleGen": [],
    "Transform": ["ExampleGen"],
    "Pusher": ["Trainer"],
}

# What kfp's own loader sees in a file; then its local runner runs it.
LOAD = """
import json, sys
from kfp import components
spec = components.load_component_from_file(sys.argv[1]).pipeline_spec
from google.protobuf import json_format
print(json.dumps(json_format.MessageToDict(spec)))
"""
RUN = """
import sys
from kfp import components, local
local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=sys.argv[2])
components.load_component_from_file(sys.argv[1])()
"""

# Stands in for the command in the steps' image: notes how it was called, and the file's content.
COMMAND = """#!/usr/bin/env python3
import json, sys
pipeline = json.load(open(sys.argv[sys.argv.index("--pipeline") + 1]))
with open({log!r}, "a") as log:
    print(json.dumps([sys.argv[1:], pipeline]), file=log)
sys.exit(3 if {failing!r} in sys.argv else 0)
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session", autouse=True)
def environment() -> None:
    command = [sys.executable, str(ROOT / "tools" / "bootstrap.py"), "kubeflow-setup"]
    subprocess.run(command, check=True)


def compiled_pipeline(nodes: dict[str, list[str]]) -> dict[str, Any]:
    steps = [
        {"pipelineNode": {"nodeInfo": {"id": name}, **({"upstreamNodes": up} if up else {})}}
        for name, up in nodes.items()
    ]
    return {"pipelineInfo": {"id": "solar-cells"}, "nodes": steps}


def compile_to(folder: Path, content: Any) -> subprocess.CompletedProcess[str]:
    (folder / "compiled.json").write_text(json.dumps(content))
    script = [str(INTERPRETER), str(ROOT / "kubeflow" / "compile.py")]
    files = ["--pipeline", "compiled.json", "--output", "out.yaml", "--image", IMAGE]
    return subprocess.run([*script, *files], cwd=folder, capture_output=True, text=True)


def run_locally(folder: Path, failing: str = "none") -> tuple[int, list[Any]]:
    """Runs folder/out.yaml; gives the exit code and what `transfer-pipeline` was called with."""
    log, command = folder / "calls", folder / "bin" / "transfer-pipeline"
    command.parent.mkdir()
    command.write_text(COMMAND.format(log=str(log), failing=failing))
    command.chmod(0o755)
    # kfp's local runner can't call a Python whose path has a space, as a checkout's may.
    (folder / "venv").symlink_to(INTERPRETER.parents[1])
    binaries = folder / "venv" / "bin"
    path = os.pathsep.join([str(command.parent), str(binaries), os.environ["PATH"]])
    done = subprocess.run(
        [str(binaries / "python"), "-c", RUN, "out.yaml", str(folder / "root")],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
    return done.returncode, [json.loads(line) for line in log.read_text().splitlines()]


def test_kfp_loads_one_uncached_step_per_node_that_waits_for_those_upstream(
    tmp_path: Path,
) -> None:
    done = compile_to(tmp_path, compiled_pipeline(NODES))
    assert done.returncode == 0, done.stderr
    command = [str(INTERPRETER), "-c", LOAD, "out.yaml"]
    loaded = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    spec = json.loads(loaded.stdout)
    assert spec["pipelineInfo"]["name"] == "solar-cells"
    tasks = {task["taskInfo"]["name"]: task for task in spec["root"]["dag"]["tasks"].values()}
    assert {name: task.get("dependentTasks", []) for name, task in tasks.items()} == {
        name: sorted(upstream.lower() for upstream in upstreams)
        for name, upstreams in NODES.items()
    }
    assert not any(task["cachingOptions"].get("enableCache") for task in tasks.values())
    executors = spec["deploymentSpec"]["executors"].values()
    assert [executor["container"]["image"] for executor in executors] == [IMAGE] * len(NODES)


def test_each_step_calls_the_node_runner_with_the_whole_pipeline_and_one_run_id(
    tmp_path: Path,
) -> None:
    content = compiled_pipeline(NODES)
    content["pipelineInfo"]["note"] = "quotes \" ' and {{$.placeholders}} and \u00fc survive"
    compile_to(tmp_path, content)
    code, calls = run_locally(tmp_path)
    assert code == 0
    order = [arguments[arguments.index("--node") + 1] for arguments, _ in calls]
    assert sorted(order) == sorted(NODES)
    assert all(order.index(up) < order.index(name) for name in NODES for up in NODES[name])
    assert all(pipeline == content for _, pipeline in calls)
    for arguments, _ in calls:
        assert [arguments[0], *arguments[1::2]] == ["run-node", "--pipeline", "--node", "--run-id"]
    run_ids = {arguments[-1] for arguments, _ in calls}
    assert len(run_ids) == 1
    assert "{{" not in run_ids.pop()


def test_a_node_that_fails_fails_its_step_and_stops_the_rest(tmp_path: Path) -> None:
    compile_to(tmp_path, compiled_pipeline(NODES))
    code, calls = run_locally(tmp_path, failing="Transform")
    assert code != 0
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ({"nodes": [{"subPipeline": {}}]}, "not a compiled pipeline of plain nodes"),
        ([], "not a compiled pipeline"),
        (compiled_pipeline({"Pusher": ["Trainer"]}), "that are missing: Trainer"),
        (compiled_pipeline({"A": ["B"], "B": ["A"]}), "cycle"),
    ],
)
def test_what_is_no_graph_of_nodes_is_refused(tmp_path: Path, content: Any, fault: str) -> None:
    done = compile_to(tmp_path, content)
    assert done.returncode == 2
    assert fault in done.stderr
    assert not (tmp_path / "out.yaml").exists()
