"""A cluster of an engine on this machine, from the jars that `make cluster-setup` fetches.

Its master, two nodes that do one task at a time, Beam's job server, and beside each node Beam's own
pool of external workers: processes of their own, all ended with the cluster. Each node has a name
service of its own, in which the host `workers` is its own pool's address: two that share a pool
would stop each other's workers, since each calls its first one `1-1`.
"""

from __future__ import annotations

import abc
import contextlib
import functools
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from tests.checkout_tools import ROOT, cluster

NODES = 2
_SECONDS = 120  # until all of it has to be up, on a machine that does much else
_HOST = "workers"
_OF_TESTS = ("TF_USE_LEGACY_KERAS", "KERAS_BACKEND", "KERAS_HOME", "MPLCONFIGDIR")
"""Variables that the command sets for its own process alone."""
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


class Cluster(abc.ABC):
    """The cluster's addresses, and what a pipeline's `runtime.beam` says to use it."""

    engine: ClassVar[cluster.Engine]
    beam_arguments: ClassVar[tuple[str, ...]] = ()
    """What the engine needs in `runtime.beam` besides the addresses."""

    def __init__(self, folder: Path, worker: dict[str, str]):
        """Chooses the ports; nothing is started.

        Args:
          folder: of the cluster's logs and files, new.
          worker: further environment variables of the workers.
        """
        self.folder = folder
        self._worker = worker
        self.jobs, self.workers, self._artifacts = free_port(), free_port(), free_port()
        self.programs: dict[str, subprocess.Popen[bytes]] = {}

    def arguments(self) -> list[str]:
        """Returns `runtime.beam` for a job server that runs already."""
        return [
            "--runner=PortableRunner",
            f"--job_endpoint=localhost:{self.jobs}",
            "--environment_type=EXTERNAL",
            f"--environment_config={_HOST}:{self.workers}",
            "--sdk_container_image=none",
            *self.beam_arguments,
        ]

    def start(self) -> None:
        """Starts all of it; returns when both nodes are there and the job server listens."""
        self.folder.mkdir(parents=True)
        for number in range(NODES):
            self.hosts(number).write_text(
                f"127.0.0.1 localhost {socket.gethostname()}\n{_pool(number)} {_HOST}\n"
            )
            self._start_workers(number)
        self.start_engine()
        for number in range(NODES):
            there = functools.partial(answers, self.workers, _pool(number))
            wait_for("a pool of workers", there)
        server = ["--job-host", "localhost", "--job-port", str(self.jobs)]
        server += ["--artifact-port", str(self._artifacts), "--expansion-port", "-1"]
        server += ["--artifacts-dir", str(self.folder / "artifacts")]
        self.start_job_server(server)
        wait_for("the job server", lambda: answers(self.jobs))

    @abc.abstractmethod
    def start_engine(self) -> None:
        """Starts master and nodes; returns when the master knows both nodes."""

    @abc.abstractmethod
    def start_job_server(self, arguments: list[str]) -> None:
        """Starts Beam's job server with these arguments and the engine's address."""

    @abc.abstractmethod
    def retries(self) -> int:
        """Returns how many faults the engine has met and mended."""

    @abc.abstractmethod
    def has_worked(self, number: int) -> bool:
        """Checks whether a node was given a task of any job."""

    def hosts(self, number: int) -> Path:
        """Returns the path of a node's table of hosts, for `-Djdk.net.hosts.file`."""
        return self.folder / f"hosts-{number}"

    def log(self, name: str) -> str:
        """Returns what a program has written."""
        return (self.folder / f"{name}.log").read_text()

    def _start_workers(self, number: int) -> None:
        """Starts a pool, as its host's service would; its workers import this checkout."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        modules = os.pathsep.join([str(ROOT), self._worker.get("PYTHONPATH", "")])
        environment = self._worker | {"PATH": path, "PYTHONPATH": modules}
        address = f"{_pool(number)}:{self.workers}"
        self._run(f"workers-{number}", [sys.executable, "-c", _POOL, address], environment)

    def java(
        self,
        name: str,
        main: str,
        arguments: list[str],
        *,
        options: Sequence[str] = (),
        jars: str = "",
        environment: dict[str, str] | None = None,
    ) -> None:
        """Starts a program of the engine's, with all of its jars or those given."""
        folder = self.engine.folder()
        jars = jars or ":".join(str(folder / jar.file) for jar in self.engine.jars())
        command = ["java", "-Xmx512m", *java_options(), *options]
        command += [f"-Djava.io.tmpdir={self.folder}", "-cp", jars, main, *arguments]
        self._run(name, command, environment or {})

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


def java_options() -> list[str]:
    """Returns what all of the engine's programs need on Java 17, and what starts them faster."""
    opened = [f"--add-opens={each}=ALL-UNNAMED" for each in cluster.OPENED]
    exported = [f"--add-exports={each}=ALL-UNNAMED" for each in cluster.OPENED]
    return ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", *opened, *exported]


def _pool(number: int) -> str:
    """Returns the address of this machine on which a node's pool listens."""
    return f"127.0.0.{number + 1}"


def free_port() -> int:
    """Returns a port of this machine on which nothing listens."""
    with socket.socket() as there:
        there.bind(("localhost", 0))
        return int(there.getsockname()[1])


def answers(port: int, host: str = "localhost") -> bool:
    """Checks whether something listens on a port of this machine."""
    with socket.socket() as there:
        return there.connect_ex((host, port)) == 0


def wait_for(what: str, done: Callable[[], bool], seconds: float = _SECONDS) -> None:
    """Returns when `done` does; fails the test after so many seconds."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"{what}: not there after {seconds:.0f} s"
        time.sleep(0.2)


@contextlib.contextmanager
def running(
    kind: type[Cluster], folder: Path, worker: dict[str, str] | None = None
) -> Iterator[Cluster]:
    """Yields a cluster that is up; skips the test without Java, or where no jar can be fetched."""
    if shutil.which("java") is None:
        pytest.skip("no java on this machine")
    try:
        cluster.build(kind.engine)
    except cluster.Unreachable as error:
        pytest.skip(f"Maven Central does not answer: {error}")
    started = kind(folder, worker or {})
    try:
        started.start()
        yield started
    finally:
        started.stop()
