from __future__ import annotations

import math

import pytest

from components.settings.training import Keep
from components.trainer.history import History

ROW = {"phase": "frozen", "epoch": 1, "val_loss": 0.5, "val_accuracy": 0.75, "loss": 1.0}


@pytest.mark.parametrize(
    ("losses", "best"), [((0.5, 0.4, 0.6), 1), ((0.5, 0.5), 0), ((math.nan, 0.7, math.nan), 1)]
)
def test_the_best_epoch_is_the_first_with_the_smallest_loss(
    losses: tuple[float, ...], best: int
) -> None:
    history = History()
    rows = [{**ROW, "val_loss": loss} for loss in losses]
    added = [history.add(row) for row in rows]
    assert history.best_epoch is rows[best]
    assert max(number for number, is_best in enumerate(added) if is_best) == best


@pytest.mark.parametrize(("keep", "kept"), [("best_loss", 1), ("best_accuracy", 3), ("last", 4)])
def test_the_rule_decides_which_epoch_is_kept(keep: Keep, kept: int) -> None:
    history = History()
    figures = [(0.5, 0.7), (0.4, 0.8), (0.7, 0.9), (0.6, 0.9), (0.8, 0.6), (math.nan, 1.0)]
    rows = [{**ROW, "val_loss": loss, "val_accuracy": accuracy} for loss, accuracy in figures]
    for row in rows:
        history.add(row, keep)
    assert history.best_epoch is rows[kept]


def test_each_phase_may_have_a_rule_of_its_own() -> None:
    history = History()
    assert history.add({**ROW, "val_loss": 0.4}, "best_loss")
    assert not history.add({**ROW, "phase": "unfrozen", "val_loss": 0.5}, "best_loss")
    assert history.add({**ROW, "phase": "unfrozen", "val_loss": 0.5}, "last")


def test_without_a_finite_loss_there_is_no_best_epoch() -> None:
    history = History()
    assert not history.add({**ROW, "val_loss": math.nan})
    assert history.best_epoch is None
    assert history.best_loss == math.inf


def test_what_a_phase_gained_is_told_against_the_best_before() -> None:
    def row(phase: str, loss: float, accuracy: float) -> dict[str, object]:
        return {"phase": phase, "val_loss": loss, "val_accuracy": accuracy}

    rows = [row("frozen", math.nan, 0.5), row("frozen", 0.6, 0.7), row("unfrozen", 0.4, 0.8)]
    gains = History(rows).gains()
    assert gains["frozen"] == {"val_loss": 0.6, "val_accuracy": 0.7}
    assert gains["unfrozen"] == pytest.approx(
        {"val_loss": 0.4, "val_accuracy": 0.8, "loss_gained": 0.2, "accuracy_gained": 0.1}
    )


def test_the_rows_come_as_a_table_too() -> None:
    assert History([ROW]).as_csv().splitlines()[0] == ",".join(ROW)
    assert len(History([ROW, ROW]).as_csv().splitlines()) == 3
    assert History().as_csv().strip() == ""
