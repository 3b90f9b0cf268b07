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

pytestmark = pytest.mark.slow

_PLACES = {
    "ingest": "ImageExampleGen",
    "features": "BottleneckGen",
    "backup": "Trainer/.unfinished",
    "export": "Trainer/model",
    "push": "",
}
"""By what is written: its folder in the pipeline's; of the push the push directory."""

_KB = 64  # of the disk: the list of the pictures fits


@contextlib.contextmanager
def _full(folder: Path) -> Iterator[None]:
    """Makes the folder a small disk of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_KB}k", "full", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:  # test_run_on_a_full_disk.py needs none
        pytest.skip("no disk can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_disk_that_is_full_anywhere_ends_in_a_sentence(
    undisturbed: Undisturbed, empty: Place
) -> None:
    for what, name in _PLACES.items():
        inside = empty.root / "image-classifier" / name
        with _full(inside if name else empty.served):
            told = empty.run()
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
