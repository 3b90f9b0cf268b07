from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluator.gate import Row, Served, certain, judge
from components.evaluator.metrics import Metrics
from components.evaluator.paired import Pairs
from components.settings.gate import Gate
from tests.components.evaluator.made_metrics import metrics

OPEN = Gate(min_accuracy=0.0, min_class_recall=0.0, max_regression=1.0, beats_majority_class=False)
"""Every rule that can be switched off is off, the others let all through."""


def gate(**keys: object) -> Gate:
    return OPEN.model_copy(update=keys)


def against(pictures: int, right: int, gained: int, lost: int, of: str = "overall") -> Served:
    """A served model with `right` of the pictures right, of which the candidate lost some."""
    candidate = right + gained - lost
    return Served(
        "7", of, candidate / pictures, right / pictures, Pairs(pictures, gained, lost), fault=""
    )


def rows(
    settings: Gate,
    candidate: Metrics | None = None,
    served: Served | None = None,
    majority: float = 0.5,
) -> list[Row]:
    return list(judge(settings, candidate or metrics(), majority, served))


def failed(*arguments: Any, **named: Any) -> list[tuple[str, str]]:
    return [(row.metric, row.slice) for row in rows(*arguments, **named) if not row.passed]


SINGLE_RULES: dict[str, Any] = {
    "min_accuracy": ({"min_accuracy": 0.8}, {"accuracy": 0.8}, {"accuracy": 0.799}, "accuracy"),
    "min_macro_f1": ({"min_macro_f1": 0.7}, {"macro_f1": 0.7}, {"macro_f1": 0.699}, "macro_f1"),
    "max_calibration_error": (
        {"max_calibration_error": 0.1},
        {"calibration_error": 0.1},
        {"calibration_error": 0.101},
        "calibration_error",
    ),
    "beats_majority_class": (
        {"beats_majority_class": True},
        {"accuracy": 0.501},
        {"accuracy": 0.5},
        "accuracy_vs_majority",
    ),
}
BY_CLASS_RULES: dict[str, Any] = {
    "min_class_recall": ({"min_class_recall": 0.5}, "class_recall", 0.5, 0.36, "recall"),
    "class_recall": ({"class_recall": {"dogs": 0.7}}, "class_recall", 0.7, 0.58, "recall"),
    "min_class_precision": (
        {"min_class_precision": 0.5},
        "class_precision",
        0.5,
        0.36,
        "precision",
    ),
    "class_precision": (
        {"class_precision": {"dogs": 0.7}},
        "class_precision",
        0.7,
        0.58,
        "precision",
    ),
    "min_class_pictures": ({"min_class_pictures": 30}, "class_pictures", 30, 29, "test_pictures"),
}


@pytest.mark.parametrize("rule", SINGLE_RULES)
def test_a_rule_of_the_whole_alone_refuses_and_passes(rule: str) -> None:
    keys, good, bad, metric = SINGLE_RULES[rule]
    assert failed(gate(**keys), metrics(**good)) == []
    assert failed(gate(**keys), metrics(**bad)) == [(metric, "overall")]
    assert failed(OPEN, metrics(**bad)) == []


@pytest.mark.parametrize("rule", BY_CLASS_RULES)
def test_a_rule_by_class_alone_refuses_and_passes(rule: str) -> None:
    keys, figure, good, bad, metric = BY_CLASS_RULES[rule]
    assert failed(gate(**keys), metrics(**{figure: {"cats": 100, "dogs": good}})) == []
    found = metrics(**{figure: {"cats": 100, "dogs": bad}})
    assert failed(gate(**keys), found) == [(metric, "dogs")]
    assert failed(OPEN, found) == []


def test_a_threshold_by_name_stands_in_place_of_the_one_for_all() -> None:
    lenient = gate(min_class_recall=0.9, class_recall={"dogs": 0.2})
    assert failed(lenient, metrics(class_recall={"cats": 0.95, "dogs": 0.3})) == []
    assert failed(lenient, metrics(class_recall={"cats": 0.75, "dogs": 0.3})) == [
        ("recall", "cats")
    ]


WITHOUT_DOGS = {
    "class_pictures": {"cats": 50, "dogs": 0},
    "class_predicted": {"cats": 50, "dogs": 0},
}


def row_of_dogs(settings: Gate, figure: str, **found: Any) -> Row:
    candidate = metrics(**found)
    [row] = [
        row for row in rows(settings, candidate) if (row.metric, row.slice) == (figure, "dogs")
    ]
    return row


@pytest.mark.parametrize(("least", "passed"), [(0.5, False), (0.001, False), (0.0, True)])
@pytest.mark.parametrize("figure", ["recall", "precision"])
def test_a_strict_gate_passes_what_can_not_be_measured_only_where_nothing_is_asked(
    figure: str, least: float, passed: bool
) -> None:
    settings = gate(strict=True, **{f"min_class_{figure}": least})
    by_class = {f"class_{figure}": {"cats": 1.0, "dogs": None}}
    row = row_of_dogs(settings, figure, **WITHOUT_DOGS, **by_class)
    assert (row.found, row.passed) == (None, passed)
    assert "no " in row.needed


@pytest.mark.parametrize("figure", ["recall", "precision"])
def test_a_class_without_test_pictures_passes_with_the_words_too_few_to_tell(figure: str) -> None:
    by_class = {f"class_{figure}": {"cats": 1.0, "dogs": None}}
    row = row_of_dogs(gate(**{f"min_class_{figure}": 0.5}), figure, **WITHOUT_DOGS, **by_class)
    assert (row.found, row.needed, row.passed) == (None, ">= 0.5, too few to tell (0 of 0)", True)
    assert row.untold


# Of n pictures k right, and whether that shows with a confidence of 95 % that the rate lies under
# the threshold: P(X <= k) of a binomial distribution, from tables (and by hand for n <= 5).
@pytest.mark.parametrize(
    ("right", "pictures", "least", "needed", "passed"),
    [
        (0, 4, 0.5, ">= 0.5, too few to tell (0 of 4)", True),  # 0.0625
        (0, 5, 0.5, ">= 0.5", False),  # 0.03125
        (1, 4, 0.8, ">= 0.8", False),  # 0.0272
        (2, 4, 0.8, ">= 0.8, too few to tell (2 of 4)", True),  # 0.1808
        (1, 1, 0.5, ">= 0.5, too few to tell (1 of 1)", True),
        (5, 5, 0.5, ">= 0.5", True),
        (5, 20, 0.5, ">= 0.5", False),  # 0.0207
        (6, 20, 0.5, ">= 0.5, too few to tell (6 of 20)", True),  # 0.0577
        (10, 20, 0.5, ">= 0.5", True),
        (0, 10, 1.0, ">= 1", False),
        (9, 10, 1.0, ">= 1", False),  # one wrong shows that not all are right
    ],
)
@pytest.mark.parametrize("figure", ["recall", "precision"])
def test_a_class_is_refused_when_its_exact_bound_lies_under_the_threshold(
    figure: str, right: int, pictures: int, least: float, needed: str, passed: bool
) -> None:
    rate = {f"class_{figure}": {"cats": 1.0, "dogs": right / pictures}}
    there = {
        "class_pictures": {"cats": 50, "dogs": pictures},
        "class_predicted": {"cats": 50, "dogs": pictures},
    }
    row = row_of_dogs(gate(**{f"min_class_{figure}": least}), figure, **rate, **there)
    assert (row.needed, row.passed) == (needed, passed)


def test_a_strict_gate_compares_plainly() -> None:
    there = {"class_pictures": {"cats": 50, "dogs": 4}, "class_recall": {"cats": 1.0, "dogs": 0.25}}
    row = row_of_dogs(gate(strict=True, min_class_recall=0.5), "recall", **there)
    assert (row.needed, row.passed) == (">= 0.5", False)


def test_ten_good_classes_with_four_pictures_each_are_not_refused_by_bad_luck() -> None:
    random = np.random.default_rng(0)
    names = [f"c{number}" for number in range(10)]
    settings = gate(min_class_recall=0.5)
    refused = 0
    for _ in range(300):
        right = random.binomial(4, 0.8, 10)
        found = metrics(
            class_pictures=dict.fromkeys(names, 4),
            class_recall=dict(zip(names, (right / 4).tolist(), strict=True)),
        )
        refused += any(not row.passed for row in rows(settings, found))
    assert refused == 0


def test_without_confidence_every_picture_of_a_class_counts() -> None:
    there = {"class_pictures": {"cats": 50, "dogs": 4}, "class_recall": {"cats": 1.0, "dogs": 0.25}}
    row = row_of_dogs(gate(confidence=0.0, min_class_recall=0.5), "recall", **there)
    assert (row.needed, row.passed) == (">= 0.5", False)


def test_what_is_not_asked_for_has_no_row() -> None:
    assert {row.metric for row in rows(OPEN)} == {"accuracy", "recall"}
    assert "accuracy_vs_served" not in [row.metric for row in rows(Gate(), metrics(accuracy=0.1))]


@pytest.mark.parametrize(
    ("gained", "lost", "passed"),
    [
        (0, 0, True),
        (10, 0, True),
        (0, 5, True),  # p = 0.0625
        (0, 6, False),  # p = 0.03125
        (10, 19, True),  # p = 0.136
        (10, 25, False),  # p = 0.017
    ],
)
def test_what_is_worse_beyond_chance_is_refused(gained: int, lost: int, passed: bool) -> None:
    found = failed(gate(max_regression=0.0), None, against(100, 80, gained, lost))
    assert found == ([] if passed else [("accuracy_vs_served", "overall")])


@pytest.mark.parametrize(
    ("regression", "lost", "passed"),
    [(0.02, 20, True), (0.02, 21, False), (0.3, 300, True), (0.0255, 25, True)],
)
def test_what_is_worse_by_no_more_than_allowed_passes(
    regression: float, lost: int, passed: bool
) -> None:
    found = failed(gate(max_regression=regression), None, against(1000, 900, 0, lost))
    assert found == ([] if passed else [("accuracy_vs_served", "overall")])


def test_without_confidence_every_picture_counts() -> None:
    strict = gate(max_regression=0.0, confidence=0.0)
    assert failed(strict, None, against(100, 80, 0, 1)) == [("accuracy_vs_served", "overall")]
    assert failed(strict, None, against(100, 80, 1, 1)) == []


@pytest.mark.parametrize(
    ("gained", "lost", "passed"), [(6, 0, True), (5, 0, False), (0, 0, False), (0, 6, False)]
)
def test_an_improvement_that_is_required_must_be_beyond_chance(
    gained: int, lost: int, passed: bool
) -> None:
    found = failed(gate(require_improvement=True), None, against(100, 80, gained, lost))
    assert found == ([] if passed else [("better_than_served", "overall")])


def test_with_too_few_pictures_to_tell_the_row_says_how_many_it_would_take() -> None:
    settings = gate(max_regression=0.0, require_improvement=True)
    [worse] = [
        row
        for row in rows(settings, None, against(100, 80, 2, 6))
        if "chance" in row.needed and row.metric == "accuracy_vs_served"
    ]
    assert worse.passed
    assert "2 of 100 pictures turned right, 6 wrong (exact McNemar test, p = 0.289)" in worse.needed
    assert "too few to tell, it would take some 391 pictures" in worse.needed
    better = rows(settings, None, against(100, 80, 6, 2))[-1]
    assert not better.passed
    assert "it would take some 391 pictures" in better.needed
    assert "too few" not in rows(settings, None, against(100, 80, 0, 30))[-2].needed
    assert "too few" not in rows(settings, None, against(100, 80, 3, 3))[-1].needed


def test_a_served_model_that_can_not_be_asked_is_refused_in_words() -> None:
    fault = Served("7", fault="it has no signature")
    settings = gate(max_regression=0.0, require_improvement=True)
    found = rows(settings, None, fault)[-2:]
    assert [row.metric for row in found] == ["accuracy_vs_served", "better_than_served"]
    for row in found:
        assert not row.passed
        assert "version 7, which can't be asked: it has no signature" in row.needed
    assert failed(gate(max_regression=1.0), None, fault) == []


def test_small_steps_down_from_an_older_version_do_not_add_up() -> None:
    settings = gate(max_regression=0.0)
    last_week, best = against(400, 360, 2, 7), against(400, 370, 0, 15)  # p = 0.18 and 0.00006
    found = list(judge(settings, metrics(), 0.5, last_week, best))
    assert [(row.metric, row.passed) for row in found[-2:]] == [
        ("accuracy_vs_served", True),
        ("accuracy_vs_reference", False),
    ]
    assert "version 7, the best that is kept: 0.9250" in found[-1].needed


def test_a_version_that_was_named_but_is_not_kept_is_refused_in_words() -> None:
    gone = Served("3", fault="the push directory does not keep it")
    [*_, row] = judge(gate(max_regression=0.0, reference=3), metrics(), 0.5, None, gone)
    assert not row.passed
    assert "version 3, which can't be asked: the push directory does not keep it" in row.needed


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_accuracy_ties_with_itself_and_with_a_threshold_of_its_own_value(
    fraction: tuple[int, int],
) -> None:
    right, pictures = fraction
    strict = gate(min_accuracy=right / pictures, max_regression=0.0, confidence=0.0)
    found = metrics(accuracy=right / pictures)
    assert failed(strict, found, against(pictures, right, 0, 0)) == []


def test_the_rows_say_what_was_found_and_needed_in_the_class_lists_order() -> None:
    candidate = metrics(accuracy=0.75, class_recall={"cats": 1.0, "dogs": 0.2})
    found = rows(Gate(), candidate, against(100, 80, 0, 6), 0.6)
    assert [(row.metric, row.slice, row.found, row.passed) for row in found] == [
        ("accuracy", "overall", 0.75, False),
        ("recall", "cats", 1.0, True),
        ("recall", "dogs", 0.2, False),
        ("accuracy_vs_majority", "overall", 0.75, True),
        ("accuracy_vs_served", "overall", 0.74, False),
    ]
    assert [row.needed for row in found] == [
        ">= 0.8",
        ">= 0.5",
        ">= 0.5",
        "> 0.6000 (always the most frequent class)",
        ">= 0.8000 (the model served now: 0.8000), or lower by chance: 0 of 100 pictures turned "
        "right, 6 wrong (exact McNemar test, p = 0.0312)",
    ]


def test_the_metrics_have_the_keys_of_the_contract() -> None:
    found = metrics(accuracy=0.75).as_dict()
    assert found["accuracy"] == 0.75
    assert list(found["class_recall"]) == ["cats", "dogs"]
    assert set(found) == {field.name for field in dataclasses.fields(Metrics)}


def certain_row(answered: int, right: int, pictures: int = 200, **keys: object) -> Row:
    place = np.arange(pictures)
    return certain(gate(**keys), 0.95, place < answered, place < right)


def test_certain_predictions_are_refused_where_the_pictures_show_that_they_are_wrong() -> None:
    row = certain_row(100, 97)
    assert (row.metric, row.slice, row.found, row.passed) == (
        "certain_accuracy",
        "overall",
        0.97,
        True,
    )
    assert row.needed == ">= 0.95 (answers 50.0% of the pictures at 97.0%)"
    assert not certain_row(100, 85).passed
    few = certain_row(20, 18)
    assert few.passed and few.untold and few.counted == "18 of 20"
    assert not certain_row(20, 18, strict=True).passed


def test_a_model_that_is_never_certain_answers_nothing_and_passes_unless_strict() -> None:
    row = certain_row(0, 0)
    assert row.passed and row.found is None
    assert row.needed.startswith(">= 0.95 (answers 0.0% of the pictures)")
    assert not certain_row(0, 0, strict=True).passed
