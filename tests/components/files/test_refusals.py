"""What the operating system refuses is told in a sentence."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.files import refusals
from serving import withdrawal
from tests.checkout_tools import ROOT
from tests.explains import explains, refused
from tests.serving.push_directory import model


@contextlib.contextmanager
def ordinary_user() -> Iterator[None]:
    """Whom permissions bind, also where root runs the tests."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def test_a_directory_that_may_not_be_written_is_told() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own is closed to other users
        folder = Path(name)
        for number in (1, 2):
            model(folder / str(number))
        folder.chmod(0o555)
        with (
            refused(
                refusals.Refused,
                found=rf"{re.escape(name)}/.lock can't be .*by user .*denied",
                allowed="Allowed is what `ls -ld` shows",
                next="become its owner; then run the command again",
            ),
            refusals.told(),
            ordinary_user(),
        ):
            withdrawal.rollback(folder, 1)
        folder.chmod(0o755)


@pytest.mark.parametrize(
    ("number", "found", "next"),
    [
        (errno.EROFS, "mounted for reading only", "Mount it for writing"),
        (errno.ENOSPC, r"can be written \(it is full\) to /x/y", "Make room there"),
        (errno.EDQUOT, r"can be written \(the quota is used up\) to /x/y", "have the quota raised"),
        (errno.EMFILE, "may have no more files open", "`ulimit -n`"),
        (errno.EISDIR, "/x/y: Is a directory", "`ls -ld` shows what is there"),
    ],
)
def test_each_refusal_has_its_way_out(number: int, found: str, next: str) -> None:
    with pytest.raises(refusals.Refused) as told, refusals.told():
        raise OSError(number, os.strerror(number), "/x/y")
    explains(str(told.value), found=found, allowed="/x/y", next=f"{next}.*run the command again")


def test_a_missing_file_is_no_refusal() -> None:
    with pytest.raises(FileNotFoundError), refusals.told():
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "/x/y")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux alone has it")
def test_output_that_no_disk_takes_is_told() -> None:
    code = "import sys; sys.argv[1:] = ['presets']; from pipeline.cli import main; main()"
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 1
    assert done.stderr.startswith(
        "error: Nothing more can be written (it is full) to the command's"
    )
    assert len(done.stderr.splitlines()) == 1
