"""A DAG of Airflow 3: compiles the run's pipeline, then runs it, one task per node.

`transfer-pipeline compile --target airflow --output DAGS/pets.py` writes this file there, with
`set_key` in the place of its import, and DAGS/pets.json beside it: the compiled pipeline and its
configuration. Airflow's interpreter reads the two. It needs neither TFX nor this project: the tasks
call the command of the project's own environment, or run as Kubernetes pods of its image.

What stands in `dag_run.conf` overrides the configuration, by key: {"training.seed": 1}.
"""

from __future__ import annotations

import copy
import importlib
import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from airflow.sdk import DAG

from pipeline.keys import set_key

# Both come through the environment: the shell would interpret text in a command's arguments.
COMPILE = """set -eu
case "$COMPILED" in *://*) ;; *) mkdir -p "${COMPILED%/*}" ;; esac
file=$(mktemp)
trap 'rm -f "$file"' EXIT
printf %s "$CONFIGURATION" > "$file"
"$COMMAND" compile --config "$file" --target tfx --output "$COMPILED"
"""
RUN_NODE = 'exec "$COMMAND" run-node --pipeline "$COMPILED" --node "$NODE" --run-id "$RUN_ID"\n'

# Templates. What a macro returns is not read as a template again: a path may have braces in it.
RUN_ID = "{{ run_name(run_id) }}"
COMMAND = "{{ project_command }}"
COMPILED = "{{ compiled_folder }}/" + RUN_ID + ".json"
# A run by hand has no data interval: then Airflow does not know the name at all.
CONFIGURATION = "{{ configuration(dag_run.conf, data_interval_end | default(none)) }}"


def make_dag(document: dict[str, Any]) -> DAG:
    """Returns the DAG.

    Args:
      document: `compiled` (TFX's compiled pipeline), `config` (the whole configuration), `root`
        (the pipeline's folder) and `command` (the path of `transfer-pipeline`).
    """
    config, settings = document["config"], document["config"]["runtime"]["airflow"]
    name, span = config["pipeline_name"], settings["span"]

    def configuration(conf: dict[str, Any] | None, interval_end: datetime | None) -> str:
        return json.dumps(configured(config, span, conf or {}, interval_end))

    with DAG(
        dag_id=name,
        schedule=settings["schedule"],
        start_date=datetime.fromisoformat(settings["start_date"]).replace(tzinfo=timezone.utc),
        catchup=settings["catchup"],
        max_active_runs=1,  # a run is judged against what the run before it has pushed
        default_args=task_arguments(settings),
        user_defined_macros={
            "configuration": configuration,
            "project_command": document["command"],
            "compiled_folder": f"{document['root']}/.compiled",
            "run_name": lambda run_id: f"{name}-{re.sub('[^A-Za-z0-9._-]', '-', run_id)}",
        },
        doc_md=__doc__,
        tags=["transfer-pipeline"],
    ) as dag:
        _add_tasks(document, settings)
    return dag


def _add_tasks(document: dict[str, Any], settings: dict[str, Any]) -> None:
    shared = {"COMMAND": COMMAND, "COMPILED": COMPILED}
    first = make_task("compile", COMPILE, {**shared, "CONFIGURATION": CONFIGURATION}, settings)
    tasks = {}
    graph = read_graph(document["compiled"])
    for node in graph:
        variables = {**shared, "NODE": node, "RUN_ID": RUN_ID}
        tasks[node] = make_task(node, RUN_NODE, variables, settings)
    for node, upstream in graph.items():
        tasks[node].set_upstream([tasks[name] for name in upstream] or first)


def read_graph(compiled: dict[str, Any]) -> dict[str, list[str]]:
    """Returns each node's id with those of the nodes that it waits for."""
    nodes = [node["pipelineNode"] for node in compiled["nodes"]]
    return {node["nodeInfo"]["id"]: node.get("upstreamNodes", []) for node in nodes}


def configured(
    config: dict[str, Any], span: str, conf: dict[str, Any], interval_end: datetime | None
) -> dict[str, Any]:
    """Returns the configuration of one run.

    Args:
      config: the one that was compiled; it stays as it is.
      span: `date` makes the day before `interval_end` the newest span that is read.
      conf: values by key with dots; they come last.
      interval_end: of the run's data interval; a run by hand may have none, and reads the newest.
    """
    tree = copy.deepcopy(config)
    keys = dict(conf)
    if span == "date" and interval_end is not None:
        newest = (interval_end - timedelta(days=1)).strftime("%Y%m%d")
        keys = {"data.span": int(newest), **conf}
    for key, value in keys.items():
        set_key(tree, key, value)
    return tree


def task_arguments(settings: dict[str, Any]) -> dict[str, Any]:
    """Returns the arguments that all tasks have in common."""
    arguments: dict[str, Any] = {
        "retries": settings["retries"],
        "retry_delay": timedelta(minutes=settings["retry_minutes"]),
        "retry_exponential_backoff": True,
    }
    if settings["timeout_hours"]:
        arguments["execution_timeout"] = timedelta(hours=settings["timeout_hours"])
    if settings["on_failure"]:
        module, _, function = settings["on_failure"].rpartition(".")
        arguments["on_failure_callback"] = getattr(importlib.import_module(module), function)
    return arguments


def make_task(name: str, script: str, variables: dict[str, str], settings: dict[str, Any]) -> Any:
    """Returns the task that runs a script, here or in a pod, with these environment variables."""
    common: dict[str, Any] = {"task_id": name}
    if pool := settings["pools"].get(name, settings["pool"]):
        common["pool"] = pool
    if settings["image"] is None:
        from airflow.providers.standard.operators.bash import BashOperator

        return BashOperator(bash_command=script, env=variables, append_env=True, **common)
    from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator

    return KubernetesPodOperator(
        name=f"transfer-pipeline-{name.lower()}",
        image=settings["image"],
        cmds=["sh", "-c"],
        arguments=[script],
        env_vars=variables,
        **{**settings["pod"], **common},
    )


_DOCUMENT = Path(__file__).with_suffix(".json")
if _DOCUMENT.is_file():  # not so where the project itself keeps this file
    dag = make_dag(json.loads(_DOCUMENT.read_text("utf-8")))
