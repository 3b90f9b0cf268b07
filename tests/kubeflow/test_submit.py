"""The script talks to a host by Kubeflow's own client; the host is played."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kubeflow import played_host
from tests.kubeflow.made_order import INTERPRETER, NODES, ROOT, compile_nodes

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory, kubeflow_environment: None) -> Path:
    folder = tmp_path_factory.mktemp("compiled")
    compile_nodes(folder, NODES, step={"volumes": [{"claim": "pictures", "mount": "/p"}]})
    return folder / "out.yaml"


@pytest.fixture
def host() -> Iterator[played_host.Host]:
    with played_host.serving() as host:
        yield host


def submit(package: Path, url: str, *words: str) -> subprocess.CompletedProcess[str]:
    script = [str(INTERPRETER), str(ROOT / "kubeflow" / "submit.py"), "--pipeline", str(package)]
    where = ["--host", url, "--experiment", "weekly"]
    return subprocess.run([*script, *where, *words], capture_output=True, text=True)


def test_a_run_is_started_in_an_experiment_that_is_made_once(
    package: Path, host: played_host.Host, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("secret\n")
    words = ["--data", "/new", "--set", "training.seed=7", "--set", "gate.min_accuracy=0.9"]
    for _ in range(2):
        done = submit(package, host.url, *words, "--token-file", str(token))
        assert done.returncode == 0, done.stderr
    assert "run runs-2" in done.stdout
    [experiment] = host.there["experiments"]
    assert experiment["display_name"] == "weekly"
    run = host.there["runs"][0]
    assert run["experiment_id"] == "experiments-1"
    assert run["display_name"] == "solar-cells"
    assert run["runtime_config"]["parameters"] == {
        "data": "/new",
        "overrides": ["training.seed=7", "gate.min_accuracy=0.9"],
    }
    assert run["pipeline_spec"]["pipeline_spec"]["pipelineInfo"]["name"] == "solar-cells"
    pods = run["pipeline_spec"]["platform_spec"]["platforms"]["kubernetes"]["deploymentSpec"]
    assert pods["executors"]["exec-trainer"]["pvcMount"][0]["mountPath"] == "/p"
    assert host.tokens == {"Bearer secret"}


@pytest.mark.parametrize("catch_up", [False, True])
def test_a_schedule_runs_one_at_a_time_and_takes_the_place_of_the_old_one(
    package: Path, host: played_host.Host, catch_up: bool
) -> None:
    words = ["--cron", "0 3 * * 1", "--span", "[[ScheduledTime.20060102]]"]
    words += ["--catch-up"] if catch_up else []
    other = {"display_name": "other", "recurring_run_id": "other", "experiment_id": "x"}
    old = {**other, "display_name": "solar-cells", "recurring_run_id": "old"}
    host.there["recurringruns"] += [other, old]
    done = submit(package, host.url, *words)
    assert done.returncode == 0, done.stderr
    assert "in place of old" in done.stdout
    kept, made = host.there["recurringruns"]
    assert kept == other
    assert made["trigger"]["cron_schedule"]["cron"] == "0 0 3 * * 1"
    assert made["max_concurrency"] == 1
    assert made["no_catchup"] is not catch_up
    assert made["mode"] == "ENABLE"
    assert made["runtime_config"]["parameters"] == {"span": "[[ScheduledTime.20060102]]"}


def test_a_wrong_word_is_told_before_the_host_is_asked(package: Path, tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:1"
    done = submit(package, nowhere, "--cron", "weekly")
    assert (done.returncode, "found 1 fields" in done.stderr) == (2, True)
    broken = tmp_path / "broken.yaml"
    broken.write_text("no: pipeline")
    done = submit(broken, nowhere)
    assert (done.returncode, "no compiled pipeline" in done.stderr) == (2, True)


def test_a_host_that_is_down_or_refuses_is_named(package: Path, host: played_host.Host) -> None:
    nowhere = "http://127.0.0.1:1"
    done = submit(package, nowhere)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: no answer from {nowhere}: ")
    host.refuses = True
    done = submit(package, host.url)
    assert done.returncode == 1
    assert done.stderr == f"error: {host.url} refused (403): {{}}\n"
