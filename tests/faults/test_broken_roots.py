"""What somebody deletes, changes, damages or locks in a root: the next run says so and mends it."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests.explains import explains
from tests.faults.conftest import Undisturbed
from tests.faults.test_damaged_store import LOCKING

pytestmark = pytest.mark.slow


def test_outputs_that_were_changed_and_deleted_are_made_anew(finished: Undisturbed) -> None:
    changed = finished.newest("BottleneckGen/bottlenecks/*/Split-train/*")
    deleted = finished.newest("Evaluator/verdict/*/verdict.json")
    page = finished.newest("Report/report/*/report.html")
    content = bytearray(changed.read_bytes())
    content[len(content) // 2] ^= 255
    changed.write_bytes(content)
    deleted.unlink()
    shutil.rmtree(page.parent)
    done = finished.run()
    for file, what in ((changed, "was changed"), (deleted, "is not there any more")):
        node = file.relative_to(finished.root / "image-classifier").parts[0]
        explains(
            done.stderr,
            found=f"{file} {what}",
            allowed=f"{node} makes it anew",
            next="what was there is kept in",
        )
    assert done.code == 0, done.stderr
    assert done.result["metrics"] == finished.result["metrics"]
    assert finished.answers == finished.scores
    assert finished.newest("BottleneckGen/bottlenecks/*/Split-train/*").parent != changed.parent
    assert finished.newest("Report/report/*/report.html").parent != page.parent


def test_a_damaged_store_is_told_and_a_deleted_one_costs_one_run(finished: Undisturbed) -> None:
    finished.store.write_bytes(b"hello " * 1000)
    told = finished.run()
    assert told.code == 1
    assert told.result["verdict"] == "failed"
    explains(
        told.result["error"],
        found=f"{finished.store} is damaged",
        allowed="the push directory and its versions are whole",
        next="then the same command",
    )
    finished.store.unlink()
    done = finished.run()
    assert done.code == 0, done.stderr
    assert done.result["metrics"] == finished.result["metrics"]
    assert finished.answers == finished.scores


def test_a_store_that_stays_locked_is_told(finished: Undisturbed) -> None:
    command = [sys.executable, "-c", LOCKING, str(finished.store)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as locking:
        assert locking.stdout is not None and locking.stdout.readline()
        told = finished.run()
        locking.kill()
    assert told.code == 1
    explains(
        told.result["error"],
        found=f"{finished.store} does not answer.*another process holds a lock",
        allowed="once it answers",
        next="the same command goes on",
    )
    done = finished.run()
    assert (done.code, done.result["verdict"]) == (0, "unchanged"), done.stderr
