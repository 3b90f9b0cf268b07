from __future__ import annotations

import ctypes
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from tests.serving.server_process import ServerProcess, wait_until
from tests.serving.tiny_model import busy_request


@pytest.fixture
def own_server(saved_model: Path, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that the test may stop."""
    shutil.copytree(saved_model, tmp_path / "pushed" / "1")
    process = ServerProcess(tmp_path / "pushed")
    process.wait_until_listening()
    process.wait_for_line("AVAILABLE")
    yield process
    process.kill()


def test_it_says_what_it_is(server: ServerProcess) -> None:
    assert server.lines[0].startswith("Development server (production runs TensorFlow Serving)")
    assert server.lines[1] == "classifier version 3 is AVAILABLE\n"


def test_health_is_serving_as_long_as_a_version_is_available(
    server: ServerProcess, changing: tuple[Path, ServerProcess]
) -> None:
    folder, follower = changing
    health = HealthStub(server.channel).Check(HealthCheckRequest()).status
    assert health == HealthCheckResponse.SERVING
    for version in folder.glob("[0-9]*"):
        shutil.rmtree(version)
    wait_until(lambda: set(follower.states().values()) <= {"END"}, follower.log)
    health = HealthStub(follower.channel).Check(HealthCheckRequest()).status
    assert health == HealthCheckResponse.NOT_SERVING


def test_a_stop_finishes_what_has_been_accepted(own_server: ServerProcess) -> None:
    body = {"signature_name": "busy", "inputs": {"seconds": 3.0}}
    with ThreadPoolExecutor() as pool:
        over_rest = pool.submit(own_server.rest, "/v1/models/classifier:predict", body)
        over_grpc = own_server.predictions.Predict.future(busy_request(3.0))
        own_server.predictions.Predict(busy_request(0.5))  # by now the others are under way
        assert own_server.stop(signal.SIGTERM) == 0
        assert over_grpc.result().model_spec.version.value == 1
        assert over_rest.result()[0] == 200
    assert own_server.errors == []  # none of TensorFlow's own lines either
    with pytest.raises(grpc.RpcError) as refused:
        own_server.predictions.Predict(busy_request(0.0))
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE


def test_a_signal_that_another_thread_took_ends_it(own_server: ServerProcess) -> None:
    """Linux may give a signal to any thread; Python's handler runs once the main thread wakes."""
    number = own_server.process.pid
    threads = sorted(int(entry.name) for entry in Path(f"/proc/{number}/task").iterdir())
    assert threads[0] == number
    assert ctypes.CDLL(None).tgkill(number, threads[1], signal.SIGTERM) == 0
    assert own_server.process.wait(60) == 0


def test_a_taken_port_is_an_error_and_no_silent_second_server(
    server: ServerProcess, tmp_path: Path
) -> None:
    from serving.local_server.models import one_model
    from serving.local_server.server import LocalServer

    config = one_model("classifier", tmp_path)
    with pytest.raises(OSError, match=str(server.port)):
        LocalServer(config, port=server.port, rest_port=0)
    with pytest.raises(OSError):
        LocalServer(config, port=0, rest_port=server.rest_port)
