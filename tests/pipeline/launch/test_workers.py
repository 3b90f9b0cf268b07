"""A worker that never comes, or does not fit, is an error that says what to look at.

Beam's own job service in this process plays the engine; its workers are Beam's.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import pytest
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc
from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer

from pipeline.launch import workers
from pipeline.launch.workers import WorkersUnavailable
from tests.beam_cluster import free_port
from tests.explains import refused


class _Late(BeamFnExternalWorkerPoolServicer):
    """Says that it starts a worker, and starts it when the test is over: nothing must hang then."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Any] = []

    def StartWorker(self, request: Any, context: object) -> object:
        self.asked.append(request)
        return beam_fn_api_pb2.StartWorkerResponse()

    def start_after_all(self) -> None:
        for request in self.asked:
            super().StartWorker(request, None)


@pytest.fixture
def pool() -> Iterator[str]:
    """The address of a pool whose workers are threads of this process."""
    address, server = BeamFnExternalWorkerPoolServicer.start()
    yield address
    server.stop(0)


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    workers._expect.cache_clear()
    yield
    workers._expect.cache_clear()


def arguments(pool: str, *further: str, job_endpoint: str = "embed") -> list[str]:
    return [
        "--runner=PortableRunner",
        f"--job_endpoint={job_endpoint}",
        "--environment_type=EXTERNAL",
        f"--environment_config={pool}",
        *further,
    ]


def test_a_worker_that_answers_is_enough_and_asked_once(
    pool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers.expect(arguments(pool), str(tmp_path))
    monkeypatch.setattr(workers.beam, "Pipeline", None)
    workers.expect(arguments(pool), str(tmp_path))


def test_a_worker_that_does_not_see_the_root_is_refused(pool: str, tmp_path: Path) -> None:
    with refused(
        WorkersUnavailable,
        found=r"does not see the folder .*/none \(runtime.root",
        allowed="under this path",
        next="Mount it there",
    ):
        workers.expect(arguments(pool), str(tmp_path / "none"))


def test_a_worker_whose_beam_can_not_reach_the_store_is_refused(
    pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As Beam's S3 does, where a pool starts its workers without Beam's entry point.
    def exists(path: str) -> bool:
        raise OSError(f"{path}: Must provide one of client or options")

    monkeypatch.setattr(workers.FileSystems, "exists", exists)
    pytest.importorskip("s3fs")
    with refused(
        WorkersUnavailable,
        found=r"reach s3://bucket/runs \(runtime.root\) there: .*Must provide one of client or",
        allowed="Beam's entry point",
        next="Install apache-beam's extra",
    ):
        workers.expect(arguments(pool), "s3://bucket/runs")


def test_a_worker_with_another_version_is_refused(
    pool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = iter(["2.0", "1.0"])
    monkeypatch.setattr(workers, "_versions", lambda: {"tensorflow": next(found)})
    with refused(
        WorkersUnavailable,
        found="has tensorflow 1.0",
        allowed="the pipeline 2.0",
        next="Give the workers the same image",
    ):
        workers.expect(arguments(pool), str(tmp_path))


def test_a_worker_that_never_comes_is_an_error_after_the_stated_time(tmp_path: Path) -> None:
    late, port = _Late(), free_port()
    server = grpc.server(futures.ThreadPoolExecutor(2))
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(late, server)
    server.add_insecure_port(f"localhost:{port}")
    server.start()
    try:
        with refused(
            WorkersUnavailable,
            found="no worker answered within 0.03 minutes",
            allowed=rf"page and log \(--job_endpoint=embed\).* listen \(localhost:{port}\)\?",
            next="--first_worker_minutes with more",
        ):
            given = arguments(f"localhost:{port}", "--first_worker_minutes=0.03")
            workers.expect(given, str(tmp_path))
    finally:
        late.start_after_all()
        server.stop(0)


def test_a_pool_that_is_not_there_is_named(tmp_path: Path) -> None:
    given = arguments(f"localhost:{free_port()}", "--first_worker_minutes=0.5")
    with refused(
        WorkersUnavailable,
        found="no worker answered",
        allowed="whether the workers' pool is up",
        next="--environment_config",
    ):
        workers.expect(given, str(tmp_path))


def test_a_job_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    endpoint = f"localhost:{free_port()}"
    given = arguments("localhost:1", "--job_server_timeout=1", job_endpoint=endpoint)
    with refused(
        WorkersUnavailable,
        found=f"no job server answers at {endpoint}",
        allowed="Look at its log",
        next="--job_endpoint",
    ):
        workers.expect(given, str(tmp_path))
