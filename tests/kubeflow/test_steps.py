"""The steps run for real, by kfp's local runner; only the command `transfer-pipeline` is played."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.kubeflow.made_order import NODES, compile_nodes, compiled_pipeline, load, run_locally

pytestmark = pytest.mark.slow

# Notes how it was called; `compile` writes a pipeline, `report` a report, and what is to fail does.
_COMMAND = """#!{python}
import json, sys
words = sys.argv[1:]
if words[0] == "compile":
    configuration = json.load(open(words[words.index("--config") + 1]))
    words.append(configuration["push"]["directory"])
    with open(words[words.index("--output") + 1], "w") as file:
        json.dump({compiled!r}, file)
if words[0] == "report":
    for name, text in {report!r}.items():
        open(words[words.index("--copy-to") + 1] + "/" + name, "w").write(text)
with open({log!r}, "a+") as log:
    log.seek(0)
    tries = 1 + sum({failing!r} in line for line in log)
    print(json.dumps(words), file=log)
sys.exit(3 if {failing!r} in words and tries <= {failures} else 0)
"""
_METRICS = {"candidate": {"accuracy": 0.875, "pictures": 8, "class_recall": {"cat": 0.75}}}
_VERDICT = {"verdict": "passed", "gate": [{"passed": True}], "pushed_version": 1795314581}
_REPORT = {
    "report.html": "<html>the page</html>",
    "metrics.json": json.dumps(_METRICS),
    "verdict.json": json.dumps(_VERDICT),
}


class Played:
    """A folder in which a compiled pipeline is run, and what its steps called."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "calls"

    def run(
        self,
        actual: dict[str, list[str]] = NODES,
        failing: str = "none",
        failures: int = 99,
        **parameters: Any,
    ) -> Any:
        """Runs the pipeline, in which `compile` finds the nodes `actual`."""
        command = _COMMAND.format(
            python=sys.executable,
            compiled=compiled_pipeline(actual),
            report=_REPORT,
            log=str(self.log),
            failing=failing,
            failures=failures,
        )
        return run_locally(self.folder, command, **parameters)

    def calls(self, kind: str) -> list[list[str]]:
        """The words of the calls of a subcommand, in order."""
        lines = self.log.read_text().splitlines()
        return [words for words in map(json.loads, lines) if words[0] == kind]

    def order(self) -> list[str]:
        """The nodes that were run, in order."""
        return [words[words.index("--node") + 1] for words in self.calls("run-node")]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory, kubeflow_environment: None) -> Path:
    folder = tmp_path_factory.mktemp("compiled")
    compile_nodes(folder, NODES)
    return folder / "out.yaml"


@pytest.fixture
def played(compiled: Path, tmp_path: Path) -> Played:
    shutil.copy(compiled, tmp_path)
    return Played(tmp_path)


def test_the_nodes_run_in_order_from_one_compiled_pipeline_under_one_run_id(
    played: Played,
) -> None:
    done = played.run()
    assert done.returncode == 0, done.stdout[-2000:]
    [compiled] = played.calls("compile")
    assert compiled[-1] == "/served"  # the whole configuration is there
    assert compiled[compiled.index("--set") + 1] == 'data.source="/pictures"'
    order = played.order()
    assert sorted(order) == sorted(NODES)
    assert all(order.index(up) < order.index(name) for name in NODES for up in NODES[name])
    run_ids = {words[words.index("--run-id") + 1] for words in played.calls("run-node")}
    assert len(run_ids) == 1
    assert "{{" not in run_ids.pop()


def test_a_runs_parameters_override_the_configuration(played: Played) -> None:
    sets = ["training.seed=7", "gate.min_accuracy=0.9"]
    played.run(data='["/a", "/b"]', span="2026-11-22", overrides=sets)
    [words] = played.calls("compile")
    given = [words[place + 1] for place, word in enumerate(words) if word == "--set"]
    assert given == ['data.source=["/a", "/b"]', "data.span=20261122", *sets]


def test_a_node_that_the_parameters_leave_out_is_passed_over(played: Played) -> None:
    without = {"ExampleGen": [], "Trainer": ["ExampleGen"], "Report": ["Trainer"]}
    assert played.run(without).returncode == 0
    assert played.order() == ["ExampleGen", "Trainer", "Report"]


@pytest.mark.parametrize(
    ("actual", "told"),
    [
        ({**NODES, "Tuner": []}, "has Tuner"),
        ({**NODES, "Transform": ["Trainer"]}, "has Transform wait for Trainer"),
    ],
)
def test_parameters_that_need_another_graph_are_told_before_any_work(
    played: Played, actual: dict[str, list[str]], told: str
) -> None:
    done = played.run(actual)
    assert done.returncode != 0
    assert f"the pipeline {told}" in done.stdout
    assert played.order() == []


def test_a_step_that_fails_is_tried_again_and_the_run_goes_on(played: Played) -> None:
    done = played.run(failing="Transform", failures=2)
    assert done.returncode == 0, done.stdout[-2000:]
    assert played.order() == ["ExampleGen", *["Transform"] * 3, "Trainer", "Report"]


def test_a_step_that_goes_on_failing_stops_the_rest(played: Played) -> None:
    assert played.run(failing="Transform").returncode != 0
    assert played.order() == ["ExampleGen", *["Transform"] * 3]


def test_the_report_and_the_figures_are_artifacts_that_kubeflow_shows(played: Played) -> None:
    assert played.run().returncode == 0
    [folder] = played.folder.glob("artifacts/*/report")
    assert (folder / "page").read_text() == "<html>the page</html>"
    outputs = json.loads((folder / "executor_output.json").read_text())["artifacts"]
    [page], [figures] = outputs["page"]["artifacts"], outputs["figures"]["artifacts"]
    assert page["metadata"]["verdict"] == "passed"
    components, _ = load(played.folder)
    shown = components["components"]["comp-report"]["outputDefinitions"]["artifacts"]
    assert {name: given["artifactType"]["schemaTitle"] for name, given in shown.items()} == {
        "page": "system.HTML",
        "figures": "system.Metrics",
    }
    assert figures["metadata"] == {
        "accuracy": 0.875,
        "pictures": 8,
        "recall of cat": 0.75,
        "gate_passed": 1,
        "pushed_version": 1795314581,
    }
