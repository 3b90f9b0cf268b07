"""Which of the older versions a candidate is held against."""

from __future__ import annotations

import json

from tfx.types import standard_artifacts

from components.artifacts.predictions import Predictions, read
from components.artifacts.rows import Rows
from components.artifacts.text_map import TextMap
from components.artifacts.types import KEPT_VERSIONS, SERVED_VERSION
from components.evaluator import kept
from components.evaluator.kept import Answers

CLASSES = ["ant", "bee", "cat"]
LABELS = ["ant"] * 4 + ["bee"] * 4 + ["cat"] * 4


def answered(**right: int) -> Predictions:
    """A candidate that is right on so many pictures of each class, and no served model."""
    rows = []
    for number, label in enumerate(LABELS):
        told = CLASSES.index(label) if number % 4 < right[label] else (CLASSES.index(label) + 1) % 3
        scores = [float(place == told) for place in range(3)]
        facts = {"sha256": "0", "height": 8, "width": 8, "columns": {}}
        row = {"file": f"{number}", "label": label, "candidate": scores}
        rows.append(json.dumps({**row, **facts}))
    return read({"candidate": {"classes": CLASSES}, "baseline": None}, rows)


def version(classes: list[str], right: int) -> Answers:
    """One that knows some classes, and is right on the first pictures of each."""
    told = [
        {"file": f"{number}", "label": label if number % 4 < right else "none"}
        for number, label in enumerate(LABELS)
    ]
    return Answers(classes, TextMap(Rows.of(told), "file", "label"))


def test_versions_that_know_other_classes_are_ordered_by_what_they_are_ahead() -> None:
    """Version 2 has the greater accuracy, on pictures that the candidate classifies as well."""
    asked = {"1": version(CLASSES, right=3), "2": version(["ant"], right=4)}
    found = kept.best(asked, answered(ant=4, bee=0, cat=0), "best")
    assert found is not None and found.version == "1"
    assert (found.candidate, found.baseline) == (4 / 12, 9 / 12)


def test_among_those_that_know_the_same_the_most_accurate_is_taken() -> None:
    asked = {"1": version(CLASSES, right=2), "2": version(CLASSES, right=3)}
    found = kept.best(asked, answered(ant=1, bee=1, cat=1), "best")
    assert found is not None and found.version == "2"


def test_a_reference_that_is_served_now_is_asked_as_such() -> None:
    baseline = standard_artifacts.Model()
    baseline.set_string_custom_property(SERVED_VERSION, "7")
    baseline.set_string_custom_property(KEPT_VERSIONS, "{}")
    assert kept.ask(baseline, 7, "unread") == {}
    assert kept.ask(baseline, 6, "unread") == {"6": "the push directory does not keep it"}
