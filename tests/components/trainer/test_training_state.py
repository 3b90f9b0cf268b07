from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from components.trainer.history import History
from components.trainer.training_state import TrainingState
from tests.checkout_tools import ROOT

ROW = {"phase": "frozen", "epoch": 1, "val_loss": 0.5, "val_accuracy": 0.75, "loss": 1.0}
STATE = TrainingState(
    phase="frozen",
    epoch=1,
    finished=False,
    weights=[np.arange(6, dtype=np.float32).reshape(2, 3), np.ones(1)],
    optimizer=[np.array(3)],
    best=[],
    history=History([ROW], ROW),
)


def test_a_later_attempt_finds_what_was_written(tmp_path: Path) -> None:
    STATE.save(str(tmp_path))
    found = TrainingState.load(str(tmp_path))
    for field in dataclasses.fields(TrainingState):
        left, right = getattr(found, field.name), getattr(STATE, field.name)
        if field.name in ("weights", "optimizer", "best"):
            assert len(left) == len(right)
            assert all(
                np.array_equal(a, b) and a.dtype == b.dtype
                for a, b in zip(left, right, strict=True)
            )
        else:
            assert left == right


def test_without_an_earlier_attempt_there_is_nothing(tmp_path: Path) -> None:
    assert TrainingState.load(str(tmp_path / "new")) == TrainingState()


def test_a_kill_while_saving_leaves_the_state_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    STATE.save(str(tmp_path))

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("tensorflow.io.gfile.rename", killed)
        with pytest.raises(KeyboardInterrupt):
            dataclasses.replace(STATE, epoch=2).save(str(tmp_path))
    found = TrainingState.load(str(tmp_path))
    assert found.epoch == 1


def test_a_backup_of_an_older_version_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "backup.npz").write_bytes(b"of another format")
    assert TrainingState.load(str(tmp_path)) == TrainingState()


def test_a_full_disk_is_an_error_and_not_the_end_of_the_process(tmp_path: Path) -> None:
    STATE.save(str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(tmp_path)], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].endswith("File too large"), done.stdout
    assert done.stderr.count("Exception ignored") == 0
    assert TrainingState.load(str(tmp_path)).epoch == 1


_LIMITED = """
import resource, sys
import numpy as np
import tensorflow as tf
from components.trainer.training_state import TrainingState
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    TrainingState(weights=[np.ones(20_000, np.float32)] * 5).save(sys.argv[1])
except tf.errors.OpError as error:
    print(error.message)
"""
