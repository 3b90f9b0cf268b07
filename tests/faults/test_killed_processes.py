"""A command that is killed leaves no child process and, after the next run, no temporary folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from components.retries import waited_until
from pipeline.launch import scratch
from tests.checkout_tools import ROOT

_PARENT = """
import subprocess, sys
from serving.child_process import tied
child = subprocess.Popen(tied(["sleep", "600"]))
print(child.pid, flush=True)
child.wait()
"""
_RUN = """
import tempfile, time
from pipeline.launch import scratch
with scratch.folder() as folder:
    made = tempfile.mkdtemp()
    print(made, flush=True)
    time.sleep(600)
"""
_COMMAND = """
import sys, time
from pathlib import Path
from pipeline import cli
from pipeline.launch import scratch

@cli.app.command()
def hang() -> None:
    with scratch.folder() as folder:
        print(folder, flush=True)
        time.sleep(600)

sys.argv = ["transfer-pipeline", "hang"]
cli.main()
"""


def _started(code: str, temporary: Path) -> tuple[subprocess.Popen[str], str]:
    """Starts the code in a new process; returns the process and the first line it prints."""
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def _lives(process: int) -> bool:
    state = Path(f"/proc/{process}/stat")
    return state.is_file() and state.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="PR_SET_PDEATHSIG is Linux's")
def test_a_child_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    process, child = _started(_PARENT, tmp_path)
    assert waited_until(lambda: "sleep" in Path(f"/proc/{child}/cmdline").read_text(), 10, 0.05)
    assert _lives(int(child))
    process.kill()
    process.communicate()
    assert waited_until(lambda: not _lives(int(child)), 10, 0.05)


def test_the_next_run_removes_what_a_killed_one_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, left = _started(_RUN, tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with scratch.folder():
        assert Path(left).is_dir()  # of a run under way
    process.kill()
    process.communicate()
    assert Path(left).is_dir()
    with scratch.folder() as own:
        assert [path for path in tmp_path.iterdir() if path.is_dir()] == [own]
        assert Path(tempfile.mkdtemp()).parent == own
        assert os.environ["TMPDIR"] == str(own)
    assert not list(tmp_path.iterdir())
    assert tempfile.gettempdir() == str(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_command_that_is_ended_cleans_up(tmp_path: Path, number: signal.Signals) -> None:
    process, folder = _started(_COMMAND, tmp_path)
    assert Path(folder).is_dir()
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode not in (0, -number)
    assert "Aborted" in said or not said
    assert not list(tmp_path.iterdir())
