"""Orders of small pipelines, compiled and run by the interpreter that has Kubeflow's SDK."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from pipeline import config
from pipeline.targets import kubeflow as kubeflow_target

ROOT = Path(__file__).resolve().parents[2]
INTERPRETER = kubeflow_target.interpreter()
IMAGE = "example/python:1"

# As TFX's compiler writes them; out of order on purpose.
NODES = {
    "Trainer": ["ExampleGen", "Transform"],
    "ExampleGen": [],
    "Transform": ["ExampleGen"],
    "Report": ["Trainer"],
}

# What kfp's own loader sees in a file; then its local runner runs it.
_LOAD = """
import json, sys
from google.protobuf import json_format
from kfp import components
pipeline = components.load_component_from_file(sys.argv[1])
specs = pipeline.pipeline_spec, pipeline.platform_spec
print(json.dumps([json_format.MessageToDict(spec) for spec in specs]))
"""
_RUN = """
import json, sys
from kfp import components, local
local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=sys.argv[2])
components.load_component_from_file(sys.argv[1])(**json.loads(sys.argv[3]))
"""


def compiled_pipeline(nodes: dict[str, list[str]]) -> dict[str, Any]:
    """Returns nodes, with those they wait for, as TFX's compiler writes them."""
    steps = [
        {"pipelineNode": {"nodeInfo": {"id": name}, **({"upstreamNodes": up} if up else {})}}
        for name, up in nodes.items()
    ]
    return {"pipelineInfo": {"id": "solar-cells"}, "nodes": steps}


def configuration(**kubeflow: Any) -> config.Config:
    """Returns a configuration with these keys in `runtime.kubeflow`."""
    settings = {"image": IMAGE, "step": {"retry_seconds": 0}, **kubeflow}
    return config.build(
        {
            "data": {"source": "/pictures"},
            "push": {"directory": "/served"},
            "runtime": {"root": "/runs", "kubeflow": settings},
        }
    )


def compile_order(folder: Path, order: Any) -> subprocess.CompletedProcess[str]:
    """Compiles an order to `out.yaml` in a folder."""
    (folder / "order.json").write_text(json.dumps(order))
    script = [str(INTERPRETER), str(kubeflow_target.SCRIPT)]
    files = ["--order", "order.json", "--output", "out.yaml"]
    return subprocess.run([*script, *files], cwd=folder, capture_output=True, text=True)


def compile_nodes(folder: Path, nodes: dict[str, list[str]], **kubeflow: Any) -> None:
    """Compiles a pipeline of these nodes to `out.yaml` in a folder."""
    order = kubeflow_target.order(configuration(**kubeflow), compiled_pipeline(nodes))
    done = compile_order(folder, order)
    assert done.returncode == 0, done.stderr


def load(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the pipeline's and the platform's specification in `out.yaml`, as kfp loads them."""
    command = [str(INTERPRETER), "-c", _LOAD, "out.yaml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    pipeline, platform = json.loads(done.stdout)
    return pipeline, platform


def run_locally(folder: Path, command: str, **parameters: Any) -> subprocess.CompletedProcess[str]:
    """Runs `out.yaml` by kfp's local runner; `command` is the script `transfer-pipeline`."""
    file = folder / "bin" / "transfer-pipeline"
    file.parent.mkdir(exist_ok=True)
    file.write_text(command)
    file.chmod(0o755)
    # kfp's local runner can't call a Python whose path has a space, as a checkout's may.
    if not (folder / "venv").is_symlink():
        (folder / "venv").symlink_to(INTERPRETER.parents[1])
    binaries = folder / "venv" / "bin"
    path = os.pathsep.join([str(file.parent), str(binaries), os.environ["PATH"]])
    words = ["out.yaml", str(folder / "artifacts"), json.dumps(parameters)]
    return subprocess.run(
        [str(binaries / "python"), "-c", _RUN, *words],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
