from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.store.root import RootBusy, locked, log_path, new_run_id
from tests.explains import refused

ROOT = Path(__file__).resolve().parents[3]
OTHER = {"allowed": "Let it finish", "next": "or name another folder with --root"}
HOLD = """
import sys
from pathlib import Path
from pipeline.store.root import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_holder_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None and holder.stdin is not None
        assert holder.stdout.readline() == "held\n"
        with refused(RootBusy, found=f"{tmp_path} .*process {holder.pid}, since", **OTHER):
            locked(tmp_path).__enter__()
        holder.kill()  # it dies without a word: the system frees the lock
        holder.wait()
    with locked(tmp_path):
        pass


def test_two_holders_in_one_process_are_refused_too(tmp_path: Path) -> None:
    with locked(tmp_path), refused(RootBusy, found=f"Another run uses {tmp_path}", **OTHER):
        locked(tmp_path).__enter__()


def test_it_is_free_again_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(KeyError), locked(tmp_path):
        raise KeyError
    with locked(tmp_path):
        pass


def test_the_folder_is_made(tmp_path: Path) -> None:
    with locked(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b").is_dir()


def test_run_ids_differ_and_name_their_log(tmp_path: Path) -> None:
    ids = {new_run_id() for _ in range(50)}
    assert len(ids) > 45  # four hexadecimal digits beside the second
    one = ids.pop()
    assert log_path(tmp_path, one) == tmp_path / "logs" / f"{one}.log"
