from __future__ import annotations

import json
from typing import Any

import pytest

from components.errors import ConfigError
from components.trainer.cluster import Cluster, read_cluster
from tests.explains import refused

TWO = ["a:2222", "b:2222"]


def environment(cluster: Any, task: Any) -> dict[str, str]:
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": task})}


def test_without_a_chief_the_first_worker_is_it() -> None:
    first, second = (
        read_cluster(environment({"worker": TWO}, {"type": "worker", "index": index}))
        for index in (0, 1)
    )
    assert (first, first.is_chief) == (Cluster(TWO, 0), True)
    assert (second, second.is_chief) == (Cluster(TWO, 1), False)


def test_a_chief_comes_before_the_workers() -> None:
    jobs = {"worker": TWO, "chief": ["c:2222"]}
    chief = read_cluster(environment(jobs, {"type": "chief", "index": 0}))
    second = read_cluster(environment(jobs, {"type": "worker", "index": "1"}))
    assert chief == Cluster(["c:2222", *TWO], 0)
    assert second == Cluster(["c:2222", *TWO], 2)


@pytest.mark.parametrize(
    ("variables", "fault"),
    [
        ({}, "is not set"),
        ({"TF_CONFIG": ""}, "is not set"),
        ({"TF_CONFIG": "{cluster"}, "is not JSON"),
        ({"TF_CONFIG": "[]"}, "has no 'cluster'"),
        ({"TF_CONFIG": json.dumps({"cluster": {"worker": TWO}})}, "has no 'task'"),
        (environment({"worker": TWO}, {"type": "worker", "index": 2}), "task 2 of job 'worker'"),
        (environment({"worker": TWO}, {"type": "worker"}), "task None of job 'worker'"),
        (environment({"worker": TWO}, {"type": "chief", "index": 0}), "task 0 of job 'chief'"),
        (environment({"worker": TWO, "ps": ["c:1"]}, {"type": "ps", "index": 0}), "a job 'ps'"),
        (environment({"worker": ["a"]}, {"type": "worker", "index": 0}), "no list of HOST:PORT"),
        (environment({"worker": "a:1"}, {"type": "worker", "index": 0}), "no list of HOST:PORT"),
        (environment({"worker": ["a:1"]}, {"type": "worker", "index": 0}), "at least two"),
    ],
)
def test_a_wrong_one_is_refused_with_an_example(variables: dict[str, str], fault: str) -> None:
    with refused(
        ConfigError,
        found=fault,
        allowed="as in .*HOST:2222",
        next="Set it in every worker's process, .*or set training.distribution=none",
    ):
        read_cluster(variables)
