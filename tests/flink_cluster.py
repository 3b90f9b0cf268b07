"""A Flink cluster on this machine: a job manager and two task managers with one slot each."""

from __future__ import annotations

import contextlib
import json
import urllib.request
from pathlib import Path
from typing import Any

from tests.beam_cluster import NODES, Cluster, free_port, wait_for
from tests.checkout_tools import cluster

_SETTINGS = {
    "jobmanager.rpc.address": "localhost",
    "jobmanager.memory.heap.size": "256m",
    "rest.address": "localhost",
    "rest.bind-address": "localhost",
    "taskmanager.host": "localhost",
    "taskmanager.cpu.cores": "1",
    "taskmanager.numberOfTaskSlots": "1",
    # All parts, which Flink's own script would compute from one number.
    "taskmanager.memory.framework.heap.size": "64m",
    "taskmanager.memory.framework.off-heap.size": "64m",
    "taskmanager.memory.jvm-metaspace.size": "128m",
    "taskmanager.memory.jvm-overhead.min": "64m",
    "taskmanager.memory.jvm-overhead.max": "64m",
    "taskmanager.memory.task.heap.size": "128m",
    "taskmanager.memory.task.off-heap.size": "0",
    "taskmanager.memory.managed.size": "64m",
    "taskmanager.memory.network.min": "192m",
    "taskmanager.memory.network.max": "192m",
    "taskmanager.network.sort-shuffle.min-buffers": "32",  # of each of some hundred exchanges
    "blob.service.cleanup.interval": "30",
    # Beam's classes are on the path of all of these programs.
    "classloader.resolve-order": "parent-first",
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": "3",
    "restart-strategy.fixed-delay.delay": "1s",
}
_FLINK = "org.apache.flink.runtime"


class FlinkCluster(Cluster):
    """Flink's part of the cluster; its REST interface says what became of the jobs."""

    engine = cluster.FLINK
    beam_arguments = (f"--parallelism={NODES}",)

    def __init__(self, folder: Path, worker: dict[str, str]):
        super().__init__(folder, worker)
        self.rest, self._rpc = free_port(), free_port()

    def start_engine(self) -> None:
        conf = self.folder / "conf"
        conf.mkdir()
        settings = _SETTINGS | {
            "jobmanager.rpc.port": str(self._rpc),
            "rest.port": str(self.rest),
            "io.tmp.dirs": str(self.folder),
        }
        (conf / "flink-conf.yaml").write_text(
            "".join(f"{key}: {value}\n" for key, value in settings.items())
        )
        flink = ["--configDir", str(conf)]
        self.java("jobmanager", f"{_FLINK}.entrypoint.StandaloneSessionClusterEntrypoint", flink)
        for number in range(NODES):
            options = [f"-Djdk.net.hosts.file={self.hosts(number)}"]
            main = f"{_FLINK}.taskexecutor.TaskManagerRunner"
            self.java(f"taskmanager-{number}", main, flink, options=options)
        wait_for("the task managers' slots", lambda: self._slots() == NODES)

    def start_job_server(self, arguments: list[str]) -> None:
        flink = ["--flink-master", f"localhost:{self.rest}"]
        jar = str(self.engine.job_server())
        self.java("jobserver", self.engine.main, flink + arguments, jars=jar)

    def retries(self) -> int:
        found = 0
        for job in self._asked("jobs/overview")["jobs"]:
            told = self._asked(f"jobs/{job['jid']}/exceptions")["exceptionHistory"]["entries"]
            found += len(told)
        return found

    def has_worked(self, number: int) -> bool:
        return "Received task" in self.log(f"taskmanager-{number}")

    def _slots(self) -> int:
        """Returns the number of free slots that the job manager knows; 0 while it is not up."""
        with contextlib.suppress(OSError):
            return int(self._asked("overview").get("slots-available", 0))
        return 0

    def _asked(self, path: str) -> Any:
        """Returns what the job manager's REST interface answers."""
        address = f"http://localhost:{self.rest}/{path}"
        with urllib.request.urlopen(address, timeout=10) as response:
            return json.load(response)
