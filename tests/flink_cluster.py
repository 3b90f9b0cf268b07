"""A Flink cluster on this machine, from the jars that `make cluster-setup` fetches.

A job manager, two task managers with one slot each, Beam's job server, and beside each task manager
Beam's own pool of external workers: processes of their own, all ended with the cluster. Each task
manager has a name service of its own, in which the host `workers` is its own pool's address: two
that share a pool would stop each other's workers, since each calls its first one `1-1`.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.checkout_tools import ROOT, cluster

TASK_MANAGERS = 2
_SECONDS = 120  # until all of it has to be up, on a machine that does much else

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
_HOST = "workers"
_OF_TESTS = ("TF_USE_LEGACY_KERAS", "KERAS_BACKEND", "KERAS_HOME", "MPLCONFIGDIR")
"""Variables that the command sets for its own process alone."""
_FLINK = "org.apache.flink.runtime"
_POOL = """
import sys
from concurrent import futures
import grpc
from apache_beam.portability.api import beam_fn_api_pb2_grpc as api
from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer as Pool

server = grpc.server(futures.ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)])
pool = Pool(use_process=True, data_buffer_time_limit_ms=-1)
api.add_BeamFnExternalWorkerPoolServicer_to_server(pool, server)
assert server.add_insecure_port(sys.argv[1])
server.start()
server.wait_for_termination()
"""
"""What `worker_pool_main` does, on one address of several that this machine has."""


class Cluster:
    """The cluster's addresses, and what a pipeline's `runtime.beam` says to use it."""

    def __init__(self, folder: Path, worker: dict[str, str]):
        """Chooses the ports; nothing is started.

        Args:
          folder: of the cluster's logs and files, new.
          worker: further environment variables of the workers.
        """
        self.folder = folder
        self._worker = worker
        self.rest, self.jobs, self.workers = free_port(), free_port(), free_port()
        self._artifacts, self._rpc = free_port(), free_port()
        self.programs: dict[str, subprocess.Popen[bytes]] = {}

    def arguments(self) -> list[str]:
        """Returns `runtime.beam` for a job server that runs already."""
        return [
            "--runner=PortableRunner",
            f"--job_endpoint=localhost:{self.jobs}",
            "--environment_type=EXTERNAL",
            f"--environment_config={_HOST}:{self.workers}",
            "--sdk_container_image=none",
            f"--parallelism={TASK_MANAGERS}",
        ]

    def start(self) -> None:
        """Starts all of it; returns when both task managers have their slots."""
        conf = self.folder / "conf"
        conf.mkdir(parents=True)
        settings = _SETTINGS | {
            "jobmanager.rpc.port": str(self._rpc),
            "rest.port": str(self.rest),
            "io.tmp.dirs": str(self.folder),
        }
        (conf / "flink-conf.yaml").write_text(
            "".join(f"{key}: {value}\n" for key, value in settings.items())
        )
        flink = ["--configDir", str(conf)]
        self._java("jobmanager", f"{_FLINK}.entrypoint.StandaloneSessionClusterEntrypoint", flink)
        for number in range(TASK_MANAGERS):
            hosts = self.folder / f"hosts-{number}"
            hosts.write_text(
                f"127.0.0.1 localhost {socket.gethostname()}\n{_pool(number)} {_HOST}\n"
            )
            name = f"taskmanager-{number}"
            options = [f"-Djdk.net.hosts.file={hosts}"]
            self._java(name, f"{_FLINK}.taskexecutor.TaskManagerRunner", flink, options)
            self._start_workers(number)
        wait_for("the task managers' slots", lambda: self.slots() == TASK_MANAGERS)
        for number in range(TASK_MANAGERS):
            there = functools.partial(answers, self.workers, _pool(number))
            wait_for("a pool of workers", there)
        server = ["--flink-master", f"localhost:{self.rest}", "--job-host", "localhost"]
        server += ["--job-port", str(self.jobs), "--artifact-port", str(self._artifacts)]
        server += ["--expansion-port", "-1", "--artifacts-dir", str(self.folder / "artifacts")]
        self._java("jobserver", cluster.MAIN, server, jars=str(cluster.job_server()))
        wait_for("the job server", lambda: answers(self.jobs))

    def slots(self) -> int:
        """Returns the number of free slots that the job manager knows; 0 while it is not up."""
        with contextlib.suppress(OSError):
            return int(self.asked("overview").get("slots-available", 0))
        return 0

    def faults(self) -> list[int]:
        """Returns for each job how many faults Flink has met and mended, or ended it for."""
        found = []
        for job in self.asked("jobs/overview")["jobs"]:
            told = self.asked(f"jobs/{job['jid']}/exceptions")["exceptionHistory"]["entries"]
            found.append(len(told))
        return found

    def asked(self, path: str) -> Any:
        """Returns what the job manager's REST interface answers."""
        address = f"http://localhost:{self.rest}/{path}"
        with urllib.request.urlopen(address, timeout=10) as response:
            return json.load(response)

    def _start_workers(self, number: int) -> None:
        """Starts a pool, as its host's service would; its workers import this checkout."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        modules = os.pathsep.join([str(ROOT), self._worker.get("PYTHONPATH", "")])
        environment = self._worker | {"PATH": path, "PYTHONPATH": modules}
        address = f"{_pool(number)}:{self.workers}"
        self._run(f"workers-{number}", [sys.executable, "-c", _POOL, address], environment)

    def _java(
        self,
        name: str,
        main: str,
        arguments: list[str],
        options: Sequence[str] = (),
        jars: str = "",
    ) -> None:
        jars = jars or ":".join(str(cluster.folder() / jar.file) for jar in cluster.listed())
        command = ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", *options]
        command += [f"-Djava.io.tmpdir={self.folder}"]
        for each in cluster.OPENED:
            command += [f"--add-opens={each}=ALL-UNNAMED", f"--add-exports={each}=ALL-UNNAMED"]
        self._run(name, [*command, "-cp", jars, main, *arguments], {})

    def _run(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        with open(self.folder / f"{name}.log", "ab") as log:
            self.programs[name] = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                env={k: v for k, v in os.environ.items() if k not in _OF_TESTS} | environment,
                cwd=self.folder,
                start_new_session=True,  # its own children are ended with it
            )

    def stop(self, *names: str) -> None:
        """Kills programs and their children, all without a name."""
        for name in names or list(self.programs):
            program = self.programs.pop(name)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, 9)
            program.wait()


def _pool(number: int) -> str:
    """Returns the address of this machine on which a task manager's pool listens."""
    return f"127.0.0.{number + 1}"


def free_port() -> int:
    """Returns a port of this machine on which nothing listens."""
    with socket.socket() as there:
        there.bind(("localhost", 0))
        return int(there.getsockname()[1])


def answers(port: int, host: str = "localhost") -> bool:
    """Whether something listens on a port of this machine."""
    with socket.socket() as there:
        return there.connect_ex((host, port)) == 0


def wait_for(what: str, done: Callable[[], bool], seconds: float = _SECONDS) -> None:
    """Returns when `done` does; fails the test after so many seconds."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"{what}: not there after {seconds:.0f} s"
        time.sleep(0.2)


@contextlib.contextmanager
def running(folder: Path, worker: dict[str, str] | None = None) -> Iterator[Cluster]:
    """Yields a cluster that is up; skips the test without Java, or where no jar can be fetched."""
    if shutil.which("java") is None:
        pytest.skip("no java on this machine")
    try:
        cluster.build()
    except cluster.Unreachable as error:
        pytest.skip(f"Maven Central does not answer: {error}")
    started = Cluster(folder, worker or {})
    try:
        started.start()
        yield started
    finally:
        started.stop()
