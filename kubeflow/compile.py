"""Turns a compiled TFX pipeline into a Kubeflow Pipelines v2 pipeline, one step per node.

Run by the interpreter that has Kubeflow's SDK (`make kubeflow-setup` builds it). With TFX 1.16 that
is an environment of its own, since the two need different protobufs; so it imports neither TFX nor
this project:

    PYTHON kubeflow/compile.py --order ORDER.json --output OUT.yaml

`transfer-pipeline compile --target kubeflow` writes the order (pipeline/targets/kubeflow.py).
"""

# No `from __future__ import annotations`: kfp reads the pipeline's as types, not as text.
import argparse
import graphlib
import json
import sys
from pathlib import Path
from typing import Any

import pods
import steps
from kfp import compiler, dsl

COMPILE, REPORT = "compile", "Report"


def read_graph(content: dict[str, Any]) -> dict[str, list[str]]:
    """Returns each node's id with those of the nodes it waits for, in an order that can be run.

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


def read_before(graph: dict[str, list[str]]) -> dict[str, list[str]]:
    """Returns for each node of an ordered graph all nodes that end before it begins."""
    before: dict[str, set[str]] = {}
    for name, upstream in graph.items():
        before[name] = set(upstream).union(*(before[other] for other in upstream))
    return {name: sorted(names) for name, names in before.items()}


def make_pipeline(order: dict[str, Any]) -> Any:
    """Returns the Kubeflow pipeline for an order.

    Args:
      order: `compiled`, the compiled TFX pipeline; `configuration`, the whole configuration that
        runs are made from; `steps`, by node and for `compile` what the pod gets.

    Raises:
      ValueError: there is no such graph of nodes.
    """
    graph = read_graph(order["compiled"])
    configuration = order["configuration"]
    source = configuration["data"]["source"]
    default_data = source if isinstance(source, str) else json.dumps(source)
    no_overrides: list[str] = []

    @dsl.pipeline(
        name=order["compiled"]["pipelineInfo"]["id"],
        description="Trains an image classifier, judges it, and pushes it if it passes.",
    )
    def pipeline(
        data: str = default_data,
        span: str = "",
        overrides: list = no_overrides,
    ) -> None:
        task = _step(COMPILE, steps.compile_run, order)(
            configuration=_text(configuration),
            before=_text(read_before(graph)),
            data=data,
            span=span,
            overrides=overrides,
        )
        tasks = {COMPILE: _finish(task, COMPILE, order)}
        for node, upstream in graph.items():
            function = steps.run_report if node == REPORT else steps.run_node
            task = _step(node, function, order)(
                compiled=tasks[COMPILE].outputs["compiled"],
                node=node,
                run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER,
            )
            tasks[node] = _finish(task, node, order).after(*(tasks[name] for name in upstream))

    return pipeline


def _step(name: str, function: Any, order: dict[str, Any]) -> Any:
    image = order["steps"][name]["image"]
    step = dsl.component(function, base_image=image, install_kfp_package=False)
    step.component_spec.name = name.lower()
    return step


def _finish(task: Any, name: str, order: dict[str, Any]) -> Any:
    task.set_display_name(name)
    # TFX knows which inputs, settings and code a result depends on; Kubeflow does not.
    task.set_caching_options(False)
    pods.equip(task, order["steps"][name], order["configuration"]["runtime"]["kubeflow"])
    return task


def _text(value: Any) -> str:
    """Returns JSON in which nothing looks like a placeholder of Kubeflow or Argo."""
    return json.dumps(value, separators=(",", ":")).replace("{{", "\\u007b\\u007b")


def main() -> int:
    """Compiles one file; returns 0 when it is written, 2 when the order can't be carried out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--order", type=Path, required=True, help="what to compile, JSON")
    parser.add_argument("--output", type=Path, required=True, help="Kubeflow pipeline, YAML")
    arguments = parser.parse_args()
    try:
        pipeline = make_pipeline(json.loads(arguments.order.read_text("utf-8")))
        compiler.Compiler().compile(pipeline, str(arguments.output))
    except (OSError, ValueError) as error:
        print(f"{arguments.order}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
