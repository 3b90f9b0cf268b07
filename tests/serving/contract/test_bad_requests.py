"""Requests that should never come leave nothing behind; test_golden.py has what they get."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest

from tests.serving.contract.asking import Grpc
from tests.serving.contract.grpc_requests import RED, cancelled, sending
from tests.serving.contract.questions_predict import BAD
from tests.serving.server_process import ServerAt, ServerProcess
from tests.serving.tiny_model import predict_request

NOISE = np.random.default_rng(0).bytes(40 * 2**20)
CASES: dict[str, Grpc] = {**BAD, "40 MB of noise": sending(NOISE)}


@pytest.fixture(scope="module", autouse=True)
def memory_comes_back(server: ServerAt) -> Iterator[None]:
    """Afterwards the process holds what it held, once it had answered every kind of request.

    Between two rounds of all of them it goes up and down by 50 MB, for the allocators' reasons, and
    does so only while it is asked; what is kept would add up with each further round.
    """
    if not isinstance(server, ServerProcess):
        yield  # its memory is on another machine
        return
    before = held_after_all(server)  # the first of a kind loads code and fills allocators
    yield
    held = [held_after_all(server) for _ in range(3)]
    end = time.monotonic() + 30
    while held[-1] > before + 60 * 2**20 and time.monotonic() < end:
        held.append(held_after_all(server))
    assert held[-1] <= before + 60 * 2**20, held  # of 120 MB of noise or more since


def held_after_all(server: ServerProcess) -> int:
    """Bytes that a server holds, once it has refused every kind of request once more."""
    for ask in [*CASES.values(), cancelled]:
        with pytest.raises((grpc.RpcError, grpc.FutureCancelledError)):
            ask(server)
    return resident(server)


def resident(server: ServerProcess) -> int:
    """Bytes of the server's process."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


@pytest.mark.parametrize("case", CASES)
def test_a_bad_request_is_refused_and_the_next_gets_an_answer(case: str, server: ServerAt) -> None:
    with pytest.raises(grpc.RpcError):
        CASES[case](server)
    assert server.predictions.Predict(predict_request([RED]), timeout=30).outputs["scores"]


def test_a_cancelled_request_is_over_at_once(server: ServerAt) -> None:
    start = time.monotonic()
    with pytest.raises(grpc.FutureCancelledError):
        cancelled(server)
    assert time.monotonic() - start < 5
    assert server.predictions.Predict(predict_request([RED]), timeout=30).outputs["scores"]
