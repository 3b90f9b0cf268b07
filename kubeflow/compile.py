"""Turns a compiled TFX pipeline into a Kubeflow Pipelines v2 pipeline, one step per node.

Run by the interpreter of an environment of its own (`make kubeflow-setup`), since Kubeflow's SDK
and TFX need different protobufs; so it imports neither TFX nor this project:

    .venv-kubeflow/bin/python kubeflow/compile.py --pipeline COMPILED.json --output OUT.yaml \
        --image IMAGE

In IMAGE, `python3` has `kfp` (constraints/kubeflow.txt), and `transfer-pipeline` is on PATH.
"""

# No `from __future__ import annotations`: kfp reads run_node's as types, not as text.
import argparse
import base64
import graphlib
import json
import sys
import zlib
from pathlib import Path
from typing import Any

from kfp import compiler, dsl


def run_node(compiled: str, node: str, run_id: str) -> None:
    """Runs one node of the pipeline in the step's container; Kubeflow ships this source.

    Args:
      compiled: the compiled TFX pipeline, JSON, deflated, in base64.
      node: the node's id.
      run_id: the run's id, the same in all its steps.
    """
    import base64
    import subprocess
    import tempfile
    import zlib

    with tempfile.NamedTemporaryFile(suffix=".json") as pipeline:
        pipeline.write(zlib.decompress(base64.b64decode(compiled)))
        pipeline.flush()
        command = ["transfer-pipeline", "run-node", "--pipeline", pipeline.name]
        subprocess.run([*command, "--node", node, "--run-id", run_id], check=True)


def read_graph(content: dict[str, Any]) -> dict[str, list[str]]:
    """Gives each node's id with those of the nodes it waits for, in an order that can be run.

    Raises:
      ValueError: the content is not that of a compiled pipeline, or its graph has a hole or a ring.
    """
    try:
        nodes = [node["pipelineNode"] for node in content["nodes"]]
        graph = {node["nodeInfo"]["id"]: node.get("upstreamNodes", []) for node in nodes}
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a compiled pipeline of plain nodes: no {error}") from error
    unknown = {name for upstream in graph.values() for name in upstream} - graph.keys()
    if unknown:
        raise ValueError(f"nodes wait for others that are missing: {', '.join(sorted(unknown))}")
    return {name: graph[name] for name in graphlib.TopologicalSorter(graph).static_order()}


def make_pipeline(content: dict[str, Any], image: str) -> Any:
    """Gives the Kubeflow pipeline for a compiled TFX pipeline whose steps run in `image`.

    The compiled pipeline travels in each step's arguments, of which one may hold 128 KiB on
    Linux: deflated, one of 10 nodes takes 4 KiB.
    """
    graph = read_graph(content)
    text = json.dumps(content, separators=(",", ":"))
    compiled = base64.b64encode(zlib.compress(text.encode(), level=9)).decode()

    @dsl.pipeline(name=content["pipelineInfo"]["id"])
    def pipeline() -> None:
        tasks: dict[str, Any] = {}
        for node, upstream in graph.items():
            step = dsl.component(run_node, base_image=image, install_kfp_package=False)
            step.component_spec.name = node.lower()
            task = step(compiled=compiled, node=node, run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER)
            task.set_display_name(node)
            # TFX knows which inputs, settings and code a result depends on; Kubeflow does not.
            task.set_caching_options(False)
            tasks[node] = task.after(*(tasks[name] for name in upstream))

    return pipeline


def main() -> int:
    """Compiles one file; 0 means written, 2 that the pipeline can't be read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipeline", type=Path, required=True, help="compiled TFX pipeline, JSON")
    parser.add_argument("--output", type=Path, required=True, help="Kubeflow pipeline, YAML")
    parser.add_argument("--image", required=True, help="container image that the steps run in")
    arguments = parser.parse_args()
    try:
        content = json.loads(arguments.pipeline.read_text())
        pipeline = make_pipeline(content, arguments.image)
    except (OSError, ValueError) as error:
        print(f"{arguments.pipeline}: {error}", file=sys.stderr)
        return 2
    compiler.Compiler().compile(pipeline, str(arguments.output))
    return 0


if __name__ == "__main__":
    sys.exit(main())
