"""The workers of one training, as the environment variable TF_CONFIG names them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from components.errors import ConfigError

_JOBS = ("chief", "worker")  # in the order in which TensorFlow numbers the workers
_EXAMPLE = (
    '{"cluster": {"worker": ["HOST:2222", "OTHER:2222"]}, "task": {"type": "worker", "index": 0}}'
)


@dataclasses.dataclass(frozen=True)
class Cluster:
    """The processes that train together.

    Attributes:
      workers: "HOST:PORT" of each, the chief first.
      index: which of them this process is.
    """

    workers: list[str]
    index: int

    @property
    def is_chief(self) -> bool:
        """Whether this process writes the model, the history and the state."""
        return self.index == 0


def read_cluster(environment: Mapping[str, str]) -> Cluster:
    """Reads TF_CONFIG, as Kubeflow's TFJob and others set it.

    Args:
      environment: the process' variables.

    Raises:
      ConfigError: TF_CONFIG is missing, is malformed, or does not name this process.
    """
    text = environment.get("TF_CONFIG")
    if not text:
        raise _wrong("is not set")
    try:
        facts = json.loads(text)
    except ValueError as error:
        raise _wrong(f"is not JSON ({error})") from error
    jobs = _part(facts, "cluster")
    for job, addresses in jobs.items():
        _check_job(job, addresses)
    workers = [address for job in _JOBS for address in jobs.get(job, [])]
    if len(workers) < 2:
        raise _wrong(f"names {len(workers)} worker(s), and at least two are needed")
    return Cluster(workers, _index(_part(facts, "task"), jobs))


def _part(facts: Any, key: str) -> dict[str, Any]:
    part = facts.get(key) if isinstance(facts, dict) else None
    if not isinstance(part, dict):
        raise _wrong(f"has no {key!r}")
    return part


def _check_job(job: str, addresses: Any) -> None:
    if job not in _JOBS:
        raise _wrong(f"has a job {job!r}; allowed are {' and '.join(_JOBS)}")
    known = isinstance(addresses, list) and all(isinstance(one, str) for one in addresses)
    if not known or not all(one.rpartition(":")[2].isdecimal() for one in addresses):
        raise _wrong(f"gives the job {job!r} as {addresses!r}, which is no list of HOST:PORT")


def _index(task: dict[str, Any], jobs: dict[str, list[str]]) -> int:
    job, number = task.get("type"), str(task.get("index"))
    addresses = jobs.get(str(job), [])
    if not number.isdecimal() or int(number) >= len(addresses):
        raise _wrong(
            f"says that this process is task {number} of job {job!r}, which the cluster does not "
            "name"
        )
    before = len(jobs.get("chief", [])) if job == "worker" else 0
    return before + int(number)


def _wrong(fault: str) -> ConfigError:
    return ConfigError(
        f"training.distribution: multi_worker reads TF_CONFIG, which {fault}. Set it in every "
        f"worker's process, as in {_EXAMPLE} with another index in each, or set "
        "training.distribution=none."
    )
