from __future__ import annotations

import pytest

from components.data_validator.comparison import (
    Finding,
    check_anomalies,
    check_sizes,
    compare_classes,
    in_range,
    largest_drift,
)
from components.settings.data import Validation

BEFORE = {"cat": 30, "dog": 70}


def checks(counts: dict[str, int], previous: dict[str, int] = BEFORE, **rules) -> dict[str, bool]:
    """Which checks found something, and whether it stops the run."""
    found = compare_classes(counts, previous, Validation(**rules))
    return {finding.check: finding.stops for finding in found}


def test_the_same_data_gives_no_findings() -> None:
    assert checks(BEFORE) == {}
    assert checks({"cat": 300, "dog": 700}) == {}


def test_a_vanished_class_stops_and_a_new_one_is_reported_unless_told_otherwise() -> None:
    assert checks({"cat": 30}) == {"vanished_classes": True}
    assert checks({**BEFORE, "owl": 5}) == {"new_classes": False}
    assert checks({"cat": 30}, vanished_classes="report") == {"vanished_classes": False}
    assert checks({**BEFORE, "owl": 5}, new_classes="stop") == {"new_classes": True}


def test_a_class_without_pictures_is_no_class() -> None:
    assert checks({**BEFORE, "cat": 0}) == {"vanished_classes": True}
    assert checks({**BEFORE, "owl": 0}) == {}
    assert checks(BEFORE, {**BEFORE, "owl": 0}) == {}


def test_a_renamed_class_is_one_vanished_and_one_new() -> None:
    assert checks({"cat": 30, "hound": 70}) == {"vanished_classes": True, "new_classes": False}


def test_the_words_name_classes_with_their_pictures_and_stop_at_ten() -> None:
    [finding] = compare_classes({"cat": 3}, {"cat": 3, "dog": 1}, Validation())
    assert finding.text == "Classes that vanished: 'dog' (1 picture)."
    many = {f"c{number:02}": 2 for number in range(13)}
    [finding] = compare_classes({**BEFORE, **many}, BEFORE, Validation())
    assert finding.text.endswith("'c09' (2 pictures) and 3 more.")
    assert "c10" not in finding.text


@pytest.mark.parametrize(
    ("counts", "found"),
    [({"cat": 49, "dog": 51}, {}), ({"cat": 51, "dog": 49}, {"label_drift": False})],
)
def test_drift_is_found_over_the_threshold_only(counts, found) -> None:
    assert checks(counts) == found


def test_drift_stops_where_the_configuration_says_so_and_names_the_shares() -> None:
    rules = Validation(label_drift="stop", max_label_drift=0.1)
    [finding] = compare_classes({"cat": 60, "dog": 40}, BEFORE, rules)
    assert finding == Finding(
        "label_drift",
        True,
        "The share of class 'cat' went from 30.0 % to 60.0 %, "
        "by more than validation.max_label_drift (0.1).",
    )


def test_drift_is_the_largest_change_of_a_share() -> None:
    name, before, now = largest_drift({"a": 1, "b": 1, "c": 2}, {"a": 2, "b": 1, "c": 1})
    assert (name, before, now) == ("a", 0.5, 0.25)  # a and c moved alike: the first by name
    assert largest_drift({"a": 1, "b": 5, "c": 4}, {"a": 4, "b": 4, "c": 2})[0] == "a"


def test_classes_that_come_or_go_are_no_drift_of_the_others() -> None:
    assert largest_drift({**BEFORE, "owl": 900}, BEFORE)[1:] == (0.3, 0.3)
    assert largest_drift({"cat": 30}, BEFORE)[1:] == (1.0, 1.0)
    assert largest_drift({"owl": 3}, BEFORE) == ("", 0.0, 0.0)


@pytest.mark.parametrize(
    ("height", "width", "allowed"),
    [(32, 64, True), (31, 64, False), (64, 31, False), (100, 100, True), (50, 101, False)],
)
def test_both_sides_of_a_picture_must_be_in_range(height, width, allowed) -> None:
    assert in_range(height, width, Validation(min_side=32, max_side=100)) == allowed


def test_without_limits_any_picture_is_in_range() -> None:
    assert in_range(1, 100_000, Validation())


def test_pictures_out_of_range_are_named_with_the_limits() -> None:
    assert list(check_sizes([], Validation())) == []
    [finding] = check_sizes(["cat/a.png (8 x 40)"], Validation(min_side=32))
    assert finding.stops
    assert finding.text == (
        "Pictures with a height or width under validation.min_side (32): cat/a.png (8 x 40)."
    )
    [finding] = check_sizes(["a"], Validation(max_side=100, sizes="report"))
    assert not finding.stops
    assert "over validation.max_side (100): a." in finding.text


def test_what_breaks_the_schema_is_told_by_split_and_feature() -> None:
    [finding] = check_anomalies([("eval", "image/format", "Unexpected: webp.")], Validation())
    assert finding.stops
    assert finding.text == "image/format breaks the schema in the eval split: Unexpected: webp."
