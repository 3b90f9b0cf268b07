"""A compiled pipeline runs node by node, each in a process of its own, as a scheduler runs it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.settings import metadata
from pipeline import config
from pipeline.commands.run import Request, execute
from pipeline.store import runs
from serving import versions
from tests import made_pictures
from tests.e2e.conftest import SMALL
from tests.pipeline.store import databases

pytestmark = pytest.mark.slow

_COMMAND = [sys.executable, "-c", "from pipeline.cli import main; main()"]
_RUN = "monday"


@pytest.fixture(scope="module")
def store() -> Iterator[str | None]:
    """A PostgreSQL server's URL; None (a SQLite file) where there is no PostgreSQL."""
    programs = databases.programs()
    if programs is None:
        yield None
        return
    with databases.postgresql(programs) as server:
        yield server.url("metadata")


class Place:
    """A configuration file, and what its nodes leave."""

    def __init__(self, folder: Path, store: str | None):
        self.root, self.served = folder / "root", folder / "served"
        pictures = made_pictures.make(folder / "pictures", 40)
        tree: dict[str, Any] = {}
        places = {"data.source": pictures, "push.directory": self.served, "runtime.root": self.root}
        for assignment in [*SMALL, *(f"{key}={path}" for key, path in places.items())]:
            config.override(tree, assignment)
        config.set_key(tree, "runtime.metadata", store)
        self.file, self.compiled = folder / "config.yaml", folder / "compiled.json"
        self.file.write_text(yaml.safe_dump(tree))
        self.connection = metadata.connection_config(config.build(tree).metadata)

    def compile(self) -> list[str]:
        """Compiles it and gives the nodes' ids in their order."""
        words = ["--config", str(self.file), "--target", "tfx", "--output", str(self.compiled)]
        _end_well(_start("compile", *words))
        nodes = json.loads(self.compiled.read_text())["nodes"]
        return [node["pipelineNode"]["nodeInfo"]["id"] for node in nodes]

    def start(self, node: str, run_id: str = _RUN) -> subprocess.Popen[str]:
        """Starts one node's process."""
        pipeline = ["--pipeline", str(self.compiled)]
        return _start("run-node", *pipeline, "--node", node, "--run-id", run_id)

    def kill_at(self, node: str, call: str) -> None:
        """Starts a node in a process that is killed at a call (tests/e2e/killed_at.py)."""
        pipeline = ["--pipeline", str(self.compiled), "--node", node, "--run-id", _RUN]
        command = [sys.executable, "-m", "tests.e2e.killed_at", call, "run-node", *pipeline]
        killed = subprocess.run(command, stderr=subprocess.PIPE, text=True)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        done = runs.read_run(self.connection, _RUN)
        assert done.nodes[node].state == "failed"
        assert not any(node in artifact.uri for artifact in done.outputs.values())


def _start(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen([*_COMMAND, *words], stderr=subprocess.PIPE, text=True)


def _end_well(process: subprocess.Popen[str]) -> None:
    assert process.communicate()[1] is not None and process.returncode == 0


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, store: str | None) -> Place:
    """Shared: what one test has made, the next one takes from the cache."""
    return Place(tmp_path_factory.mktemp("nodes"), store)


def test_nodes_killed_in_the_middle_and_started_again_end_well_and_all_runners_agree(
    place: Place,
) -> None:
    calls = {
        "ImageExampleGen": ["components.image_example_gen.executor:check_limits:before"],
        "BottleneckGen": ["components.bottleneck_gen.executor:_check_budget:after"],
        "Trainer": ["components.trainer.training_state:TrainingState.save:after"],
        "Evaluator": ["components.evaluator.measure:measure:before"],
        # Amid the copy; then after the rename, before it can say that it has pushed.
        "Pusher": ["serving.atomic_files:copy_tree:after", "serving.publishing:prune:before"],
    }
    for node in place.compile():
        for call in calls.pop(node, []):
            place.kill_at(node, call)
        _end_well(place.start(node))
    assert not calls  # each of them was hit
    _end_well(place.start("Pusher"))  # done already
    [version] = versions.published(place.served)
    assert (version.path / "saved_model.pb").is_file()
    done = runs.read_run(place.connection, _RUN)
    assert (done.verdict, done.pushed_version) == ("pushed", version.number)
    assert {node.state for node in done.nodes.values()} == {"ran"}

    # The local runner finds all of it in the cache but what is served now, and a push that was
    # reported by a second attempt.
    local = execute(Request(config_file=place.file))
    states = {name: node["state"] for name, node in local["components"].items()}
    again = {"BaselineResolver", "Pusher", "Report"}
    assert {state for node, state in states.items() if node not in again} == {"cached"}
    assert local["verdict"] == "unchanged"


def test_a_node_whose_inputs_are_not_there_says_so(place: Place) -> None:
    if not place.compiled.exists():
        place.compile()
    process = place.start("Transform", "another run")
    told = process.communicate()[1]
    assert process.returncode == 1
    assert "Transform could not start" in told
    assert "ImageExampleGen" in told.splitlines()[-1]


def test_two_runs_at_once_over_one_server_do_not_disturb_each_other(
    place: Place, store: str | None
) -> None:
    if store is None:
        pytest.skip("PostgreSQL is not installed")
    before = versions.published(place.served) if place.served.exists() else []
    words = ["run", "--config", str(place.file), "--json", "--set", "gate.max_regression=1"]

    def started(seed: int) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*_COMMAND, *words, "--set", f"training.seed={seed}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def result(process: subprocess.Popen[str]) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(process.communicate()[0].splitlines()[-1])
        return found

    results = [result(process) for process in [started(1), started(2)]]
    for seed, found in enumerate(results, start=1):
        if found["verdict"] == "failed":  # the other one pushed between its Evaluator and Pusher
            assert "another run pushed meanwhile" in found["error"]
            found = result(started(seed))
        assert found["verdict"] == "pushed", found
        assert {node["state"] for node in found["components"].values()} <= {"ran", "cached"}
    assert any(found["verdict"] == "pushed" for found in results)
    assert len(versions.published(place.served)) == len(before) + 2
