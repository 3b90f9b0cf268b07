from __future__ import annotations

import dataclasses
from typing import Any

from components.report.page import render
from tests.components.report.made_run import Page, run, trials


def page(**changes: Any) -> Page:
    return Page(render(dataclasses.replace(run(), **changes)))


def text(made: Page) -> str:
    return " ".join(made.text.split())


def test_the_trials_stand_in_the_order_of_their_score_and_the_best_is_marked() -> None:
    assert page().table("Trial") == [
        ["00 ✓ best", "0", "0.00123", "5", "0.0000", "100.0 %"],
        ["01", "64", "0.00123", "5", "0.1000", "90.0 %"],
        ["02", "128", "0.00123", "5", "0.2000", "80.0 %"],
    ]


def test_it_says_how_many_diverged_and_what_the_training_took() -> None:
    tuned = {"units": 64, "learning_rate": 0.00123}
    said = text(page(history=run().history | {"tuned": tuned}))
    assert "4 heads were tried" in said
    assert "; 1 diverged" in said
    assert "took the best one's units 64, learning rate 0.00123 in place of" in said
    assert "diverged" not in text(page(trials=trials(diverged=0)))


def test_of_many_trials_the_best_are_shown() -> None:
    made = page(trials=trials(done=25))
    assert len(made.table("Trial")) == 20
    assert "5 more trials reached less" in text(made)


def test_where_nothing_was_tuned_there_is_no_such_section() -> None:
    assert "Tuning" not in page(trials=[]).text
