"""KILL, and TERM or INT, in every node: the same command goes on, to the same result."""

from __future__ import annotations

import signal

import pytest
from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto.metadata_store_pb2 import Execution

from components.settings import metadata
from tests.explains import explains
from tests.faults.conftest import Place, Undisturbed
from tests.faults.forked_commands import Ended, Fault

pytestmark = pytest.mark.slow

_MIDDLES = {
    "Trainer": "components.trainer.training_state:TrainingState.save:after",
    "Pusher": "serving.atomic_files:copy_tree:after",
}
"""Calls amid the work of nodes that have parts from which a next attempt goes on."""


def _faults(node: str, number: int) -> list[Fault]:
    """Returns what happens to a node; TERM and INT take turns: one handler has both."""
    gently = [signal.SIGTERM, signal.SIGINT]
    faults = [Fault(node, "before", gently[number % 2])]
    if node in _MIDDLES:
        faults.append(Fault(node, _MIDDLES[node], gently[(number + 1) % 2]))
    # Its work is done then, and the metadata does not know.
    return [*faults, Fault(node, "after", signal.SIGKILL)]


def _check_end(ended: Ended, fault: Fault) -> None:
    assert not ended.left, f"{ended.left} outlived {fault}"
    if fault.signal == signal.SIGKILL:
        assert ended.code == -signal.SIGKILL, ended.stderr
        return
    assert ended.code in (1, 130), ended.stderr
    explains(
        ended.stderr,
        found=rf"{fault.node} +interrupted.*Interrupted",
        allowed="from the last finished step",
        next="the same command goes on",
    )


def _temporary(place: Place) -> list[str]:
    return [path.name for path in place.commands.temporary.iterdir()]


def test_a_kill_in_every_node_changes_nothing_of_the_result(
    undisturbed: Undisturbed, empty: Place
) -> None:
    nodes = list(undisturbed.result["components"])
    assert len(nodes) == 13
    for number, node in enumerate(nodes):
        for fault in _faults(node, number):
            ended = empty.run(fault=fault)
            _check_end(ended, fault)
            if fault.signal != signal.SIGKILL:
                assert not _temporary(empty), fault
    done = empty.run()
    assert done.code == 0, done.stderr
    assert done.result["verdict"] == "unchanged"  # a run that was killed in Report had pushed
    assert done.result["metrics"] == undisturbed.result["metrics"]
    assert empty.answers == undisturbed.scores
    assert not _temporary(empty)
    store = MetadataStore(metadata.connection_config(str(empty.store)))
    states = {each.last_known_state for each in store.get_executions()}
    assert Execution.RUNNING not in states and Execution.NEW not in states
