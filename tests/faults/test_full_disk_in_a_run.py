"""A disk that is full at any step of a run: one sentence, and afterwards the run goes on."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.explains import explains
from tests.faults.conftest import Place, Undisturbed
from tests.faults.forked_commands import Fault

pytestmark = pytest.mark.slow

_PLACES = {
    "ingest": ("ImageExampleGen", ".", "before"),
    "features": ("BottleneckGen", ".", "before"),
    "backup": (
        "Trainer",
        ".unfinished",
        "components.trainer.training_state:TrainingState.save:before",
    ),
    "export": ("Trainer", "model", "components.trainer.executor:export:before"),
    "push": ("Pusher", "", "serving.publishing:publish:before"),
}
"""By what is written: the node, its folder in there, and where a limit of files' sizes begins."""

_KB = 64  # of the disk: the list of the pictures fits


@contextlib.contextmanager
def _full(folder: Path) -> Iterator[bool]:
    """Makes the folder a small disk of its own; yields whether this user may."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_KB}k", "full", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_disk_that_is_full_anywhere_ends_in_a_sentence(
    undisturbed: Undisturbed, empty: Place
) -> None:
    for what, (node, name, call) in _PLACES.items():
        inside = empty.root / "image-classifier" / node / name
        with _full(inside if name else empty.served) as mounted:
            limit = Fault(node, call, limit=1)
            told = empty.run(None if mounted else limit)
        assert told.code == 1, f"{what}: {told.stderr}"
        assert told.result["verdict"] == "failed"
        assert "Traceback" not in told.stderr
        explains(
            told.result["error"],
            found=rf"(Too little space in|can be written \(.*\) to) .*{re.escape(str(empty.root))}",
            allowed=r"about [\d,]+ bytes are needed, [\d,]+ are free",
            next=r"Make room there.*\(.*\); the same command then goes on",
        )
        assert not told.left
    done = empty.run()
    assert (done.code, done.result["verdict"]) == (0, "pushed"), done.stderr
    assert done.result["metrics"] == undisturbed.result["metrics"]
    assert empty.answers == undisturbed.scores
