from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from components.image_example_gen.quality_report import _distributions
from pipeline.commands.watch_compare import Reference, compare, realised
from serving.recording.record import Record

CLASSES = ("cats", "dogs")
ACCURACY = 0.85


def table(pictures: int, seed: int) -> np.ndarray:
    """brightness, contrast, sharpness, width, height, bytes of pictures that are all alike."""
    drawn = np.random.default_rng(seed)
    columns = [drawn.normal(120, 20, pictures), drawn.normal(40, 8, pictures)]
    columns += [drawn.gamma(3, 200, pictures), np.full(pictures, 300), np.full(pictures, 200)]
    return np.stack([*columns, np.full(pictures, 9_000)], axis=1)


def scores(pictures: int, seed: int, mean: float = ACCURACY) -> np.ndarray:
    return np.random.default_rng(seed).beta(10 * mean, 10 * (1 - mean), pictures)


def reference(**changes: Any) -> Reference:
    values: dict[str, Any] = {
        "distributions": _distributions(table(2_000, 0)),
        "predicted": [CLASSES[at % 2] for at in range(400)],
        "scores": scores(400, 1),
        "accuracy": ACCURACY,
    }
    return Reference(**values | changes)


def served(pictures: int, seed: int, mean: float = ACCURACY, **changes: Any) -> list[Record]:
    drawn = np.random.default_rng(seed).integers(0, 2, pictures)
    rows = zip(table(pictures, seed), scores(pictures, seed + 1, mean), drawn, strict=True)
    return [
        Record(
            **{
                "sha256": f"{at:064x}",
                "sent_sha256": f"{at:064x}",
                "milliseconds": 0,
                "model": "pets",
                "version": 1,
                "classes": (CLASSES[index],),
                "scores": (float(score),),
                "brightness": row[0],
                "contrast": row[1],
                "sharpness": row[2],
                "width": 300,
                "height": 200,
                **changes,
            }
        )
        for at, (row, score, index) in enumerate(rows)
    ]


def test_what_is_alike_raises_an_alarm_in_few_of_a_hundred_weeks() -> None:
    known = reference()
    alarms = [bool(compare(served(200, 10 * seed), known)["findings"]) for seed in range(1, 101)]
    assert sum(alarms) <= 3  # 9 tests of 0.1 % each: one is expected


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"brightness": 40.0}, "brightness"),
        ({"width": 600, "height": 400}, "size"),
        ({"width": 200, "height": 300}, "shape"),
        ({"classes": ("dogs",)}, "predicted classes"),
        ({"classes": ("birds",)}, "predicted classes"),
        ({"mean": 0.6}, "scores"),
        ({"mean": 0.6}, "estimated accuracy"),
    ],
)
def test_a_shift_is_found_and_named(changes: dict[str, Any], name: str) -> None:
    found = compare(served(200, 5, **changes), reference())
    assert any(finding.startswith(name) for finding in found["findings"]), found


def test_few_records_are_too_few_to_tell() -> None:
    found = compare(served(49, 5, brightness=10.0), reference())
    assert found["too_few"] and not found["findings"]


def test_the_estimate_follows_the_confidence() -> None:
    found = compare(served(2_000, 5, mean=0.6), reference())
    assert found["estimated_accuracy"] == pytest.approx(0.6, abs=0.03)


def test_a_model_that_is_certain_less_often_is_told() -> None:
    known = reference(certain=0.8)
    some = served(100, 3, certain=1) + served(100, 4, certain=0)
    assert any(each.startswith("certain of 50%") for each in compare(some, known)["findings"])
    most = served(170, 3, certain=1) + served(30, 4, certain=0)
    assert not any(each.startswith("certain") for each in compare(most, known)["findings"])


def test_pictures_farther_from_the_training_features_are_told() -> None:
    drawn = np.random.default_rng(0)
    known = reference(distances=drawn.chisquare(64, 400))

    def at(distances: np.ndarray) -> list[str]:
        kept = served(len(distances), 3)
        pairs = zip(kept, distances.tolist(), strict=True)
        records = [dataclasses.replace(record, distance=each) for record, each in pairs]
        found = compare(records, known)
        assert "distance to the training features" in found["shifts"]
        return [each for each in found["findings"] if each.startswith("distance")]

    assert not at(drawn.chisquare(64, 200))
    assert at(drawn.chisquare(64, 200) + 15)
    assert "distance to the training features" not in compare(served(200, 3), known)["shifts"]


def test_labels_that_come_later_give_the_accuracy() -> None:
    kept = served(100, 3, classes=("cats",))
    labels = {record.sha256: "cats" if at < 60 else "dogs" for at, record in enumerate(kept[:80])}
    found = realised(kept, {**labels, "f" * 64: "cats"}, reference())
    assert (found["labelled"], found["accuracy"]) == (80, 0.75)
    assert found["findings"] and found["interval"][0] < 0.75 < found["interval"][1] < ACCURACY
    right = realised(kept, {record.sha256: "cats" for record in kept}, reference())
    assert right["accuracy"] == 1.0 and not right["findings"]
    assert realised(kept, {}, reference())["accuracy"] is None
