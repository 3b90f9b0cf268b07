"""KILL, TERM and INT in every node: the same command goes on, to the same result."""

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


def _faults(node: str) -> list[Fault]:
    middle = _MIDDLES.get(node, "before")
    return [
        Fault(node, "before", signal.SIGTERM),
        Fault(node, middle, signal.SIGINT),
        Fault(node, "after", signal.SIGKILL),  # its work is done, and the metadata does not know
    ]


def _check_end(ended: Ended, fault: Fault) -> None:
    assert not ended.left, f"{ended.left} outlived {fault}"
    if fault.signal == signal.SIGKILL:
        assert ended.code == -signal.SIGKILL, ended.stderr
        return
    assert ended.code == 1, ended.stderr
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
    for node in nodes:
        for fault in _faults(node):
            ended = empty.run(fault)
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
