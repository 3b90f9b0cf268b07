"""The DAG that Airflow makes of the file, without running a task."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline import config
from pipeline.targets import airflow as airflow_target
from tests.airflow.conftest import Airflow

pytestmark = pytest.mark.slow

NODES = {
    "ImageExampleGen": [],
    "BaselineResolver": [],
    "Trainer": ["ImageExampleGen"],
    "Pusher": ["Trainer", "BaselineResolver"],
}

# What Airflow's own interpreter sees.
SEE = """
import airflow.sdk, datetime, json, sys, time
from airflow.providers.standard.operators import bash
if sys.argv[2] == "pods":
    from airflow.providers.cncf.kubernetes.operators import pod
before = time.process_time()
sys.path.insert(0, sys.argv[1])
import fruit
seconds = time.process_time() - before
dag = fruit.dag
when = datetime.datetime(2026, 11, 22)
configured = dag.user_defined_macros["configuration"]
print(json.dumps({
    "seconds": seconds,
    "heavy": [m for m in ("tfx", "tensorflow", "pipeline", "components") if m in sys.modules],
    "upstream": {t.task_id: sorted(t.upstream_task_ids) for t in dag.tasks},
    "pools": {t.task_id: t.pool for t in dag.tasks},
    "kinds": sorted({type(t).__name__ for t in dag.tasks}),
    "retries": dag.get_task("Trainer").retries,
    "minutes": dag.get_task("Trainer").retry_delay.total_seconds() / 60,
    "hours": (dag.get_task("Trainer").execution_timeout or datetime.timedelta()).seconds / 3600,
    "told": bool(dag.get_task("Trainer").on_failure_callback),
    "schedule": dag.schedule, "catchup": dag.catchup, "at once": dag.max_active_runs,
    "run": json.loads(configured({"training.seed": 7}, when)),
    "by hand": json.loads(configured(None, None)),
    "name": dag.user_defined_macros["run_name"]("scheduled__2026-11-22T00:00:00+00:00"),
    "image": getattr(dag.get_task("Trainer"), "image", None),
    "namespace": getattr(dag.get_task("Trainer"), "namespace", None),
}))
"""


def _seen(airflow: Airflow, folder: Path, **settings: Any) -> dict[str, Any]:
    tree = {
        "pipeline_name": "fruit",
        "data": {"source": "/data/{YYYY}{MM}{DD}"},
        "push": {"directory": "/served"},
        "runtime": {"airflow": {"command": "/opt/transfer-pipeline", **settings}},
    }
    steps = [
        {"pipelineNode": {"nodeInfo": {"id": name}, **({"upstreamNodes": up} if up else {})}}
        for name, up in NODES.items()
    ]
    airflow_target.write_dag({"nodes": steps}, config.build(tree), folder / "fruit.py")
    (folder / "alarm.py").write_text("def ring(context): pass\n")
    kind = "pods" if "image" in settings else "processes"
    done = airflow.run("python", "-c", SEE, str(folder), kind)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_dag_file_imports_nothing_of_ours_and_is_parsed_in_a_moment(
    airflow: Airflow, tmp_path: Path
) -> None:
    seen = _seen(airflow, tmp_path)
    assert seen["heavy"] == []
    assert seen["seconds"] < 2
    assert seen["upstream"] == {
        "compile": [],
        "ImageExampleGen": ["compile"],
        "BaselineResolver": ["compile"],
        "Trainer": ["ImageExampleGen"],
        "Pusher": ["BaselineResolver", "Trainer"],
    }
    assert (seen["kinds"], seen["schedule"], seen["catchup"]) == (["BashOperator"], None, False)
    assert (seen["retries"], seen["minutes"], seen["at once"]) == (2, 5, 1)
    assert seen["name"] == "fruit-scheduled__2026-11-22T00-00-00-00-00"
    assert seen["run"]["training"]["seed"] == 7
    assert seen["run"]["data"]["span"] is None


def test_the_settings_come_to_the_tasks(airflow: Airflow, tmp_path: Path) -> None:
    seen = _seen(
        airflow,
        tmp_path,
        schedule="@weekly",
        catchup=True,
        span="date",
        retries=5,
        retry_minutes=1,
        timeout_hours=3,
        pool="small",
        pools={"Trainer": "gpu"},
        on_failure="alarm.ring",
    )
    assert (seen["schedule"], seen["catchup"], seen["told"]) == ("@weekly", True, True)
    assert (seen["retries"], seen["minutes"], seen["hours"]) == (5, 1, 3)
    assert (seen["pools"]["Trainer"], seen["pools"]["Pusher"]) == ("gpu", "small")
    assert seen["run"]["data"]["span"] == 20261121
    assert seen["by hand"]["data"]["span"] is None
    assert config.build(seen["run"]).training.seed == 7


def test_with_an_image_every_task_is_a_pod_of_it(airflow: Airflow, tmp_path: Path) -> None:
    seen = _seen(airflow, tmp_path, image="example/pets:1", pod={"namespace": "ml"})
    assert seen["kinds"] == ["KubernetesPodOperator"]
    assert (seen["image"], seen["namespace"]) == ("example/pets:1", "ml")
    assert seen["seconds"] < 2


def test_the_dag_file_alone_holds_no_dag(airflow: Airflow, tmp_path: Path) -> None:
    tree = {"data": {"source": "/data"}, "push": {"directory": "/served"}}
    command = {"runtime": {"airflow": {"command": "/opt/transfer-pipeline"}}}
    airflow_target.write_dag({"nodes": []}, config.build(tree | command), tmp_path / "alone.py")
    (tmp_path / "alone.json").unlink()
    code = "import sys; sys.path.insert(0, sys.argv[1]); import alone; print(hasattr(alone, 'dag'))"
    done = airflow.run("python", "-c", code, str(tmp_path))
    assert done.stdout.splitlines()[-1] == "False"
