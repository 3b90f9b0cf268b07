from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from components.artifacts.predictions import Predictions, read
from components.errors import ConfigError
from components.evaluator.gate import Row
from components.evaluator.paired import Pairs
from components.evaluator.verdict import SHARED, Verdict, known_slices, pairs, served
from components.settings.gate import Gate
from tests.components.evaluator.made_metrics import metrics
from tests.explains import refused


def answered(baseline: dict[str, Any] | None) -> Predictions:
    """Two cats and two dogs; the candidate sees cats alone, the baseline dogs."""
    models = {"candidate": {"classes": ["cat", "dog"]}, "baseline": baseline}
    lines = []
    for number, label in enumerate(["cat", "cat", "dog", "dog"]):
        row = {"file": f"{number}.png", "sha256": "0", "label": label, "candidate": [0.9, 0.1]}
        if baseline and "classes" in baseline:
            scores = [0.8 if name == "dog" else 0.1 for name in baseline["classes"]]
            row["baseline"] = scores
        facts = {"height": 30, "width": 40, "columns": {"camera": "left"}}
        lines.append(json.dumps({**row, **facts}))
    return read(models, lines)


def verdict(
    passed: bool, baseline: dict[str, Any] | None = None, unchanged: bool = False, **keys: Any
) -> Verdict:
    row = Row("accuracy", "overall", 0.5, ">= 0.8", passed)
    version = baseline["version"] if baseline else "3" if unchanged else ""
    made = {"candidate": metrics()}
    return Verdict(Gate(**keys), [row], made, answered(baseline), version, unchanged)


@pytest.mark.parametrize(
    ("passed", "bless", "unchanged", "word", "blessed"),
    [
        (True, None, False, "passed", True),
        (False, None, False, "refused", False),
        (False, "trade fair", False, "blessed", True),
        (True, "trade fair", False, "passed", True),  # nothing to override
        (True, None, True, "unchanged", True),
        (False, None, True, "unchanged", False),
    ],
)
def test_the_word_and_the_blessing(
    passed: bool, bless: str | None, unchanged: bool, word: str, blessed: bool
) -> None:
    found = verdict(passed, None, unchanged, bless=bless)
    assert (found.word, found.blessed) == (word, blessed)
    reason = found.document()["bless_reason"]
    assert reason == (bless if word == "blessed" else None)


def notes(*arguments: Any, **named: Any) -> str:
    return " ".join(verdict(*arguments, **named).document()["notes"])


def test_a_first_run_and_an_equal_model_are_told_in_words() -> None:
    assert "No model is served yet" in notes(True)
    assert served(answered(None)) is None
    assert "is the model served already, version 3" in notes(True, None, unchanged=True)
    assert "Blessed in spite of the gate: trade fair" in notes(False, bless="trade fair")


@pytest.mark.parametrize(
    ("accuracy", "interval", "told"),
    [(0.65, (0.43, 0.82), True), (0.65, (0.64, 0.66), False), (0.85, (0.64, 0.95), False)],
)
def test_a_refusal_by_few_pictures_says_what_they_can_tell(
    accuracy: float, interval: tuple[float, float], told: bool
) -> None:
    found = metrics(
        pictures=20, accuracy=accuracy, intervals={"accuracy": interval, "macro_f1": None}
    )
    judged = dataclasses.replace(verdict(False, min_accuracy=0.8), metrics={"candidate": found})
    text = " ".join(judged.document()["notes"])
    assert ("20 test pictures are few for gate.min_accuracy=0.8" in text) is told
    assert ("between 0.43 and 0.82" in text) is told


def test_pictures_that_only_one_model_has_right_are_counted() -> None:
    candidate = np.array([True, True, False, False, True])
    baseline = np.array([True, False, True, False, False])
    assert pairs(candidate, baseline) == Pairs(5, gained=2, lost=1)


def test_the_same_classes_are_compared_on_all_pictures() -> None:
    found = served(answered({"version": "7", "classes": ["cat", "dog"]}))
    assert found is not None and found.pairs is not None
    assert (found.of, found.candidate, found.baseline) == ("overall", 0.5, 0.5)
    assert (found.pairs.pictures, found.pairs.gained, found.pairs.lost) == (4, 2, 2)
    assert notes(True, {"version": "7", "classes": ["cat", "dog"]}) == ""


def test_other_classes_are_compared_on_what_both_know_and_told() -> None:
    baseline = {"version": "7", "classes": ["dog", "yak"]}
    found = served(answered(baseline))
    assert found is not None and found.pairs is not None
    assert (found.of, found.candidate, found.baseline) == (SHARED, 0.0, 1.0)
    assert found.pairs.pictures == 2
    said = notes(True, baseline)
    assert "Version 7, served now, does not know 'cat'" in said
    assert "also knows 'yak', which is no class any more" in said


def test_a_model_that_can_not_be_asked_is_a_fault_and_the_way_out_is_told() -> None:
    baseline = {"version": "7", "fault": "it has no signature"}
    found = served(answered(baseline))
    assert found is not None
    assert (found.pairs, found.fault) == (None, "it has no signature")
    assert "can't be asked: it has no signature. To push all the same: run --bless" in notes(
        True, baseline
    )
    strangers = served(answered({"version": "7", "classes": ["yak", "gnu"]}))
    assert strangers is not None and strangers.fault == "it knows none of the classes"


def test_slices_and_classes_that_are_not_there_are_refused_with_those_that_are() -> None:
    made = answered(None)
    assert known_slices(Gate(slices=["camera", "picture_size"]), made) == ["camera", "picture_size"]
    with refused(
        ConfigError,
        found=r"gate\.slices: no column 'site'",
        allowed="there are .*'camera'",
        next="Name such a column",
    ):
        known_slices(Gate(slices=["site"]), made)
    with refused(
        ConfigError,
        found=r"gate\.class_recall: no class 'cow'",
        allowed="the classes are 'cat', 'dog'",
        next="Correct the name, or remove it",
    ):
        known_slices(Gate(class_recall={"cow": 0.5}), made)
