from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluator.gate import Metrics, Row, judge
from components.settings.gate import Gate

OPEN = Gate(min_accuracy=0.0, min_class_recall=0.0, max_regression=1.0, beats_majority_class=False)
"""Every rule that can be switched off is off, the others let all through."""


def metrics(accuracy: float, recall: float = 1.0, pictures: int = 1000) -> Metrics:
    return Metrics(pictures, accuracy, {"cats": 1.0, "dogs": recall})


def rows(
    gate: Gate, candidate: Metrics, baseline: Metrics | None = None, majority: float = 0.5
) -> list[Row]:
    return list(judge(gate, candidate, baseline, majority))


def failed(*arguments: object, **named: object) -> list[tuple[str, str]]:
    found = rows(*arguments, **named)  # type: ignore[arg-type]
    return [(row.metric, row.slice) for row in found if not row.passed]


def gate(**keys: object) -> Gate:
    return OPEN.model_copy(update=keys)


@pytest.mark.parametrize(("accuracy", "passed"), [(0.8, True), (0.801, True), (0.799, False)])
def test_accuracy_must_reach_its_minimum(accuracy: float, passed: bool) -> None:
    found = failed(gate(min_accuracy=0.8), metrics(accuracy))
    assert found == ([] if passed else [("accuracy", "overall")])


@pytest.mark.parametrize(("recall", "passed"), [(0.5, True), (0.501, True), (0.499, False)])
def test_the_recall_of_every_class_must_reach_its_minimum(recall: float, passed: bool) -> None:
    found = failed(gate(min_class_recall=0.5), metrics(0.9, recall))
    assert found == ([] if passed else [("recall", "dogs")])


@pytest.mark.parametrize(("least", "passed"), [(0.5, False), (0.001, False), (0.0, True)])
def test_a_recall_that_can_not_be_measured_passes_only_where_none_is_asked(
    least: float, passed: bool
) -> None:
    candidate = Metrics(10, 0.9, {"cats": 1.0, "dogs": None})
    row = next(row for row in rows(gate(min_class_recall=least), candidate) if row.slice == "dogs")
    assert (row.found, row.passed) == (None, passed)
    assert "no test pictures" in row.needed


@pytest.mark.parametrize(("accuracy", "passed"), [(0.701, True), (0.7, False), (0.699, False)])
def test_naming_the_most_frequent_class_must_be_exceeded_not_equalled(
    accuracy: float, passed: bool
) -> None:
    assert (failed(gate(beats_majority_class=True), metrics(accuracy), None, 0.7) == []) is passed


def test_the_majority_does_not_matter_where_it_is_switched_off() -> None:
    assert failed(OPEN, metrics(0.1), None, 0.9) == []


@pytest.mark.parametrize(
    ("accuracy", "regression", "passed"),
    [
        (0.9, 0.0, True),  # a tie
        (0.901, 0.0, True),
        (0.899, 0.0, False),
        (0.88, 0.02, True),  # just what is allowed
        (0.6, 0.3, True),  # 0.9 - 0.3 is 0.6000000000000001
        (0.879, 0.02, False),
        (0.875, 0.0255, True),  # 25 pictures of 25.5
        (0.874, 0.0255, False),  # 26
        (0.1, 1.0, True),
    ],
)
def test_accuracy_may_lie_under_the_served_models_by_what_is_allowed(
    accuracy: float, regression: float, passed: bool
) -> None:
    found = failed(gate(max_regression=regression), metrics(accuracy), metrics(0.9))
    assert found == ([] if passed else [("accuracy_vs_served", "overall")])


def test_without_a_served_model_nothing_is_compared() -> None:
    strict = gate(max_regression=0.0)
    assert "accuracy_vs_served" not in [row.metric for row in rows(strict, metrics(0.1), None)]


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_accuracy_ties_with_itself_and_with_a_threshold_of_its_own_value(
    fraction: tuple[int, int],
) -> None:
    right, pictures = fraction
    candidate = metrics(right / pictures, pictures=pictures)
    strict = gate(min_accuracy=right / pictures, max_regression=0.0)
    assert failed(strict, candidate, candidate) == []


def test_the_rows_say_what_was_found_and_needed_in_the_class_lists_order() -> None:
    found = rows(Gate(), metrics(0.75, 0.4), metrics(0.8), 0.6)
    assert [(row.metric, row.slice, row.found, row.passed) for row in found] == [
        ("accuracy", "overall", 0.75, False),
        ("recall", "cats", 1.0, True),
        ("recall", "dogs", 0.4, False),
        ("accuracy_vs_majority", "overall", 0.75, True),
        ("accuracy_vs_served", "overall", 0.75, False),
    ]
    assert [row.needed for row in found] == [
        ">= 0.8",
        ">= 0.5",
        ">= 0.5",
        "> 0.6000 (always the most frequent class)",
        ">= 0.8000 (the model served now: 0.8000)",
    ]


def test_the_metrics_have_the_keys_of_the_contract() -> None:
    found = metrics(0.75).as_dict()
    assert found["accuracy"] == 0.75
    assert list(found["class_recall"]) == ["cats", "dogs"]
