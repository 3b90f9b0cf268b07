"""Runs the script in the environment that has Kubeflow's SDK."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.targets import kubeflow as kubeflow_target
from tests.kubeflow import made_order
from tests.kubeflow.made_order import IMAGE, NODES, compile_nodes, compiled_pipeline, load

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("kubeflow_environment")]


def test_kfp_loads_one_uncached_step_per_node_that_waits_for_those_upstream(
    tmp_path: Path,
) -> None:
    compile_nodes(tmp_path, NODES)
    spec, _ = load(tmp_path)
    assert spec["pipelineInfo"]["name"] == "solar-cells"
    tasks = {task["taskInfo"]["name"]: task for task in spec["root"]["dag"]["tasks"].values()}
    assert "dependentTasks" not in tasks.pop("compile")
    assert {name: set(task["dependentTasks"]) for name, task in tasks.items()} == {
        name: {"compile", *(upstream.lower() for upstream in upstreams)}
        for name, upstreams in NODES.items()
    }
    assert not any(task["cachingOptions"].get("enableCache") for task in tasks.values())
    executors = spec["deploymentSpec"]["executors"].values()
    assert {executor["container"]["image"] for executor in executors} == {IMAGE}


def test_a_run_has_parameters_with_the_configurations_values_as_defaults(tmp_path: Path) -> None:
    compile_nodes(tmp_path, NODES)
    spec, _ = load(tmp_path)
    parameters = spec["root"]["inputDefinitions"]["parameters"]
    assert {name: given["defaultValue"] for name, given in parameters.items()} == {
        "data": "/pictures",
        "span": "",
        "overrides": [],
    }


def test_a_step_gets_what_is_configured_for_it_and_else_what_all_get(tmp_path: Path) -> None:
    gpu = {
        "image": "example/python:gpu",
        "gpu": 1,
        "cpu_limit": 4,
        "memory_limit": "16Gi",
        "node_selector": {"pool": "gpu"},
        "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "secrets": [{"name": "bucket", "env": {"id": "AWS_ACCESS_KEY_ID"}, "mount": "/secret"}],
        "env": {"TF_CPP_MIN_LOG_LEVEL": "2"},
        "timeout": 3600,
    }
    volumes = [{"claim": "pictures", "mount": "/pictures", "sub_path": "solar"}]
    everyone = {"cpu": 0.5, "memory": "2Gi", "volumes": volumes, "retries": 1, "retry_seconds": 30}
    compile_nodes(
        tmp_path,
        NODES,
        step=everyone,
        steps={"Trainer": gpu, "compile": {"cpu": 2, "retries": 0}},
        pull_policy="Always",
        pull_secrets=["registry"],
    )
    spec, platform = load(tmp_path)
    containers = {
        name.removeprefix("exec-"): executor["container"]
        for name, executor in spec["deploymentSpec"]["executors"].items()
    }
    pods = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    trainer, resources = pods["exec-trainer"], containers["trainer"]["resources"]
    assert containers["trainer"]["image"] == "example/python:gpu"
    assert containers["trainer"]["env"] == [{"name": "TF_CPP_MIN_LOG_LEVEL", "value": "2"}]
    assert float(resources["resourceCpuRequest"]) == 0.5
    assert float(resources["resourceCpuLimit"]) == 4
    assert resources["resourceMemoryLimit"] == "16Gi"
    assert resources["accelerator"]["resourceType"] == "nvidia.com/gpu"
    assert resources["accelerator"]["resourceCount"] == "1"
    assert trainer["nodeSelector"]["labels"] == {"pool": "gpu"}
    assert trainer["tolerations"] == gpu["tolerations"]
    assert trainer["secretAsEnv"][0]["secretName"] == "bucket"
    assert trainer["secretAsVolume"][0]["mountPath"] == "/secret"
    assert trainer["activeDeadlineSeconds"] == "3600"
    assert float(containers["compile"]["resources"]["resourceCpuRequest"]) == 2
    for name in ("trainer", "report", "compile"):
        pod = pods[f"exec-{name}"]
        assert pod["imagePullPolicy"] == "Always"
        assert pod["imagePullSecret"][0]["secretName"] == "registry"
        [mount] = pod["pvcMount"]
        place = mount["constant"], mount["mountPath"], mount["subPath"]
        assert place == ("pictures", "/pictures", "solar")
    tasks = spec["root"]["dag"]["tasks"]
    assert "retryPolicy" not in tasks["compile"]
    policy = tasks["trainer"]["retryPolicy"]
    assert (policy["maxRetryCount"], policy["backoffDuration"]) == (1, "30s")


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
    done = made_order.compile_order(tmp_path, {"compiled": content})
    assert done.returncode == 2
    assert fault in done.stderr
    assert not (tmp_path / "out.yaml").exists()


def test_nothing_in_the_configuration_looks_like_a_placeholder(tmp_path: Path) -> None:
    config = made_order.configuration()
    order = kubeflow_target.order(config, compiled_pipeline(NODES))
    order["configuration"]["data"]["group_by"] = "quotes \" ' and {{$.placeholders}} and \u00fc"
    assert made_order.compile_order(tmp_path, order).returncode == 0
    spec, _ = load(tmp_path)
    given = spec["root"]["dag"]["tasks"]["compile"]["inputs"]["parameters"]["configuration"]
    text = given["runtimeValue"]["constant"]
    assert "{{" not in text
    assert json.loads(text) == order["configuration"]
