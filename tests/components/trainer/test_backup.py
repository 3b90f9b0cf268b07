from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from components.trainer.backup import Backup, State
from components.trainer.record import Record

ROW = {"phase": "frozen", "epoch": 1, "val_loss": 0.5, "val_accuracy": 0.75, "loss": 1.0}
STATE = State(
    phase="frozen",
    epochs=1,
    finished=False,
    weights=[np.arange(6, dtype=np.float32).reshape(2, 3), np.ones(1)],
    optimizer=[np.array(3)],
    best=[],
    rows=[ROW],
    best_row=ROW,
)


def test_a_later_attempt_finds_what_was_written(tmp_path: Path) -> None:
    Backup(str(tmp_path)).write(STATE)
    found = Backup(str(tmp_path)).state
    assert found is not None
    for field in dataclasses.fields(State):
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
    assert Backup(str(tmp_path / "new")).state is None


def test_whoever_is_killed_while_writing_leaves_the_state_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = Backup(str(tmp_path))
    backup.write(STATE)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("tensorflow.io.gfile.rename", killed)
        with pytest.raises(KeyboardInterrupt):
            backup.write(dataclasses.replace(STATE, epochs=2))
    found = Backup(str(tmp_path)).state
    assert found is not None
    assert found.epochs == 1


def test_what_a_phase_gained_is_told_against_the_best_before() -> None:
    def row(phase: str, loss: float, accuracy: float) -> dict[str, object]:
        return {"phase": phase, "val_loss": loss, "val_accuracy": accuracy}

    rows = [row("frozen", 0.9, 0.5), row("frozen", 0.6, 0.7), row("unfrozen", 0.4, 0.8)]
    gains = Record(rows).gains()
    assert gains["frozen"] == {"val_loss": 0.6, "val_accuracy": 0.7}
    assert gains["unfrozen"] == pytest.approx(
        {"val_loss": 0.4, "val_accuracy": 0.8, "loss_gained": 0.2, "accuracy_gained": 0.1}
    )


def test_the_rows_come_as_a_table_too() -> None:
    assert Record([ROW]).as_csv().splitlines()[0] == ",".join(ROW)
    assert len(Record([ROW, ROW]).as_csv().splitlines()) == 3
    assert Record().as_csv().strip() == ""
