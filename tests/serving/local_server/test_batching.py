from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest

from serving.config_files import BatchingOptions
from serving.local_server.batching import Batcher
from serving.local_server.errors import ServingError, invalid_argument
from serving.saved_model_session import Arrays
from tests.serving.server_process import wait_until

LONG = 60_000_000  # microseconds


class Doubling:
    """Stands in for a Servable: doubles numbers, refuses negative ones, and tells its batches."""

    def __init__(self) -> None:
        self.batches_seen: list[list[float]] = []
        self.go_on = threading.Event()
        self.go_on.set()

    def batches(self, name: str) -> bool:
        return name != "scalar"

    def run(
        self,
        name: str,
        inputs: Arrays,
        deadline: float | None = None,
        awaited: Callable[[], bool] | None = None,
    ) -> Arrays:
        values = inputs["x"]
        self.batches_seen.append(values.reshape(-1).tolist())
        self.go_on.wait(30)
        if (values < 0).any():
            raise invalid_argument("negative")
        return {"y": values * 2}


@pytest.fixture
def servable() -> Doubling:
    return Doubling()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as pool:
        yield pool


def x(*values: float) -> Arrays:
    return {"x": np.array(values, np.float32)}


def y(outputs: Arrays) -> list[float]:
    return outputs["y"].tolist()


def test_full_batches_run_at_once_and_everyone_gets_his_own(
    servable: Doubling, pool: ThreadPoolExecutor
) -> None:
    batcher = Batcher(BatchingOptions(4, LONG, 10, 1))
    answers = [pool.submit(batcher.run, servable, "s", x(n, n + 0.5)) for n in range(4)]
    assert [y(answer.result(30)) for answer in answers] == [[2 * n, 2 * n + 1] for n in range(4)]
    assert [len(batch) for batch in servable.batches_seen] == [4, 4]
    batcher.stop()


def test_a_lone_request_waits_for_the_timeout_and_no_longer(servable: Doubling) -> None:
    batcher = Batcher(BatchingOptions(4, 200_000, 10, 1))
    start = time.monotonic()
    assert y(batcher.run(servable, "s", x(1))) == [2]  # no other request fills the batch
    assert time.monotonic() - start >= 0.2
    batcher.stop()


def test_nobody_fails_for_another_s_request(servable: Doubling, pool: ThreadPoolExecutor) -> None:
    batcher = Batcher(BatchingOptions(3, LONG, 10, 1))
    good = [pool.submit(batcher.run, servable, "s", x(n)) for n in (1, 2)]
    bad = pool.submit(batcher.run, servable, "s", x(-1))
    assert [y(answer.result(30)) for answer in good] == [[2], [4]]
    assert isinstance(bad.exception(30), ServingError)
    assert len(servable.batches_seen[0]) == 3
    batcher.stop()


def test_other_shapes_and_signatures_have_their_own_batches(
    servable: Doubling, pool: ThreadPoolExecutor
) -> None:
    batcher = Batcher(BatchingOptions(2, 300_000, 10, 2))
    wide = {"x": np.array([[1.0, 2.0]])}
    answers = [
        pool.submit(batcher.run, servable, name, inputs)
        for name, inputs in (("s", x(1)), ("s", wide), ("t", x(3)), ("scalar", x(4)))
    ]
    assert [y(answer.result(30)) for answer in answers] == [[2], [[2, 4]], [6], [8]]
    assert sorted(servable.batches_seen) == [[1], [1, 2], [3], [4]]
    batcher.stop()


def test_a_request_over_the_batch_size_is_refused(servable: Doubling) -> None:
    batcher = Batcher(BatchingOptions(2, 0, 10, 1))
    with pytest.raises(ServingError, match="Task size 3 is larger than maximum input batch size 2"):
        batcher.run(servable, "s", x(1, 2, 3))
    batcher.stop()


def test_a_full_queue_answers_unavailable(servable: Doubling, pool: ThreadPoolExecutor) -> None:
    servable.go_on.clear()
    batcher = Batcher(BatchingOptions(1, 0, 2, 1))
    running = pool.submit(batcher.run, servable, "s", x(0))
    wait_until(lambda: bool(servable.batches_seen), str)
    queued = [pool.submit(batcher.run, servable, "s", x(n)) for n in (1, 2)]
    wait_until(lambda: batcher.queued() == 2, str)
    with pytest.raises(ServingError, match="queue .* is full") as full:
        batcher.run(servable, "s", x(3))
    assert full.value.code == grpc.StatusCode.UNAVAILABLE
    servable.go_on.set()
    assert [y(answer.result(30)) for answer in (running, *queued)] == [[0], [2], [4]]
    batcher.stop()


def test_the_deadline_bounds_the_wait_and_saves_the_run(
    servable: Doubling, pool: ThreadPoolExecutor
) -> None:
    servable.go_on.clear()
    batcher = Batcher(BatchingOptions(1, 0, 10, 1))
    running = pool.submit(batcher.run, servable, "s", x(0))
    wait_until(lambda: bool(servable.batches_seen), str)
    with pytest.raises(ServingError) as late:
        batcher.run(servable, "s", x(1), time.monotonic() + 0.1)
    assert late.value.code == grpc.StatusCode.DEADLINE_EXCEEDED
    servable.go_on.set()
    running.result(30)
    batcher.stop()
    assert servable.batches_seen == [[0]]


def test_a_stop_runs_what_is_queued(servable: Doubling, pool: ThreadPoolExecutor) -> None:
    batcher = Batcher(BatchingOptions(4, LONG, 10, 1))
    answer = pool.submit(batcher.run, servable, "s", x(1))
    wait_until(lambda: batcher.queued() == 1, str)
    batcher.stop()
    assert y(answer.result(1)) == [2]


def test_signatures_with_a_free_first_dimension_are_batched(saved_model: Path) -> None:
    from serving.local_server.servable import Servable

    servable = Servable("classifier", 1, saved_model)
    names = ("serving_default", "serve_examples", "busy")
    assert [servable.batches(name) for name in names] == [True, True, False]
