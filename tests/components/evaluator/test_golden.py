from __future__ import annotations

from components.artifacts.predictions import BASELINE, CANDIDATE
from components.evaluator import golden
from components.evaluator.gate import OVERALL, Row
from components.evaluator.kept import Answers
from components.evaluator.verdict import SHARED
from components.settings.gate import Gate

CATS = {f"cat {number}": "cat" for number in range(20)}
EMUS = {f"emu {number}": "emu" for number in range(20)}


def against_served(of_file: dict[str, str], known: list[str], now: str) -> Row:
    """A candidate that knows cat and emu, and says `now` of cats, against one that never errs."""
    told = {file: now if label == "cat" else label for file, label in of_file.items()}
    before = {file: label if label in known else known[0] for file, label in of_file.items()}
    asked = {
        CANDIDATE: Answers(["cat", "emu"], told),
        BASELINE: Answers(known, before),
    }
    *_, row = golden.judge(Gate(), of_file, asked, "7")
    return row


def test_a_class_that_the_served_model_does_not_know_hides_no_loss_in_the_others() -> None:
    row = against_served(CATS | EMUS, ["cat", "dog"], now="emu")
    assert (row.metric, row.slice, row.found) == ("golden_accuracy_vs_served", SHARED, 0.0)
    assert not row.passed


def test_where_both_know_all_classes_all_pictures_count() -> None:
    row = against_served(CATS | EMUS, ["cat", "emu"], now="cat")
    assert (row.slice, row.found, row.passed) == (OVERALL, 1.0, True)


def test_a_served_model_that_knows_none_of_the_classes_can_not_be_compared() -> None:
    row = against_served(EMUS, ["cat", "dog"], now="cat")
    assert not row.passed
    assert "version 7, which can't be asked: it knows none of the classes" in row.needed
