"""Many clients, while versions come, go back, break and are tried under labels.

`SERVING_ADDRESS=HOST:PORT SERVING_MODEL_DIR=DIR` holds a server that runs already against the same
(docs/serving.md): DIR is its push directory as we see it. With `--max_num_load_retries=0`, or
TensorFlow Serving tries the broken version for five minutes, and loads no other meanwhile.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from tensorflow_serving.apis.model_management_pb2 import ReloadConfigRequest

import serving
from serving import canary, labels
from serving.withdrawal import rollback
from tests.serving.abuse import Abuse
from tests.serving.load import Clients, Models
from tests.serving.server_process import (
    START_SECONDS,
    RemoteServer,
    ServerAt,
    ServerProcess,
    wait_until,
)

CLIENTS, SECONDS = 16, 60.0
BATCHING = Path(serving.__file__).parent / "config" / "batching_parameters.txt"


def only_available(server: ServerAt, version: int) -> Callable[[], bool]:
    """Checks whether this version answers and no other is loaded."""

    def holds() -> bool:
        loaded = [number for number, state in server.states().items() if state == "AVAILABLE"]
        return loaded == [version]

    return holds


@pytest.fixture
def pushed(
    tmp_path: Path,
) -> Iterator[tuple[Models, Path, ServerAt]]:
    """Models, the push directory with the first of them, and the server that serves it."""
    models = Models(tmp_path / "models")
    if address := os.environ.get("SERVING_ADDRESS"):
        yield from _given(models, address, Path(os.environ["SERVING_MODEL_DIR"]))
        return
    model_dir = tmp_path / "pushed"
    models.push(model_dir)
    server = ServerProcess(model_dir, "--batching-parameters-file", str(BATCHING))
    server.wait_until_listening()
    server.wait_for_line("AVAILABLE")
    yield models, model_dir, server
    server.kill()


def _given(
    models: Models, address: str, model_dir: Path
) -> Iterator[tuple[Models, Path, ServerAt]]:
    base_path = os.environ.get("SERVING_BASE_PATH", str(model_dir.absolute()))
    server = RemoteServer(address, 0, base_path)
    first = models.push(model_dir)
    # TensorFlow Serving listens once it has a version to serve.
    grpc.channel_ready_future(server.channel).result(START_SECONDS)
    wait_until(only_available(server, first), server.log)
    yield models, model_dir, server
    (model_dir / labels.MODELS_CONFIG).unlink(missing_ok=True)
    request = ReloadConfigRequest()
    request.config.model_config_list.config.add(
        name="classifier", base_path=base_path, model_platform="tensorflow"
    )
    server.models.HandleReloadConfigRequest(request, timeout=60)


@pytest.mark.slow
def test_no_request_fails_and_no_answer_is_wrong(
    pushed: tuple[Models, Path, ServerAt],
) -> None:
    models, model_dir, server = pushed
    start = time.monotonic()
    with Clients(server.address, CLIENTS) as clients:
        for switch in range(5):
            previous = max(models.expected)
            version = models.push(model_dir)
            wait_until(only_available(server, version), server.log)
            if switch in (1, 3):
                rollback(model_dir, previous)
                wait_until(only_available(server, previous), server.log)
                rollback(model_dir, version)
                wait_until(only_available(server, version), server.log)
        bad = models.push_bad(model_dir)
        wait_until(lambda: server.states().get(bad) == "END", server.log)
        time.sleep(max(0.0, SECONDS - (time.monotonic() - start)))  # the rest of the minute
        rollback(model_dir, version)
    assert clients.errors == {}
    assert set(clients.versions()) == set(models.expected)
    assert len(clients.answers) > 1000
    clients.check_scores(models)
    assert "Traceback" not in server.log()


def resident_bytes(process: int) -> int:
    """The memory that a process has now."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
def test_abuse_fails_no_good_request_and_leaves_no_memory_behind(
    pushed: tuple[Models, Path, ServerAt],
) -> None:
    models, _, server = pushed
    with Clients(server.address, CLIENTS):
        time.sleep(10.0)  # threads, and what TensorFlow keeps for each
    process = server.process.pid if isinstance(server, ServerProcess) else None
    before = resident_bytes(process) if process else 0
    with Clients(server.address, CLIENTS) as clients, Abuse(server) as abuse:
        time.sleep(SECONDS / 2)
    assert clients.errors == {}
    clients.check_scores(models)
    assert abuse.taken == []
    assert abuse.count > 20
    if process:
        assert resident_bytes(process) < 1.2 * before
    assert "Traceback" not in server.log()


@pytest.mark.slow
def test_no_request_for_a_label_fails_while_versions_are_tried(
    pushed: tuple[Models, Path, ServerAt],
) -> None:
    models, model_dir, server = pushed
    servers = [server.address]
    canary.advance(model_dir, "classifier", server.base_path, servers)
    stable = max(models.expected)
    asked_for = {"stable": {stable}, "canary": {stable}}
    with Clients(server.address, CLIENTS, ("stable", "canary")) as clients:
        for well in (True, False, True, False):
            version = models.push(model_dir)
            assert canary.advance(model_dir, "classifier", None, servers).canary == version
            asked_for["canary"].add(version)
            _until_answered(clients, "canary", version, server)
            if well:
                canary.promote(model_dir, servers)
                asked_for["stable"].add(version)
                stable = version
            else:
                canary.withdraw(model_dir, servers)
            wait_until(only_available(server, stable), server.log)
            _until_answered(clients, "stable", stable, server)
    assert clients.errors == {}
    for label, versions in asked_for.items():
        assert set(clients.versions(label)) == versions
    assert len(clients.answers) > 500
    clients.check_scores(models)
    assert "Traceback" not in server.log()


def _until_answered(clients: Clients, label: str, version: int, server: ServerAt) -> None:
    wait_until(lambda: clients.versions(label)[version] > 0, server.log)
