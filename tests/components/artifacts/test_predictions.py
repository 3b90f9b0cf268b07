from __future__ import annotations

import json

import numpy as np
import pytest

from components.artifacts.predictions import read, size_bucket


def line(file: str, label: str, **scores: list[float]) -> str:
    facts = {"sha256": "0", "height": 300, "width": 200, "columns": {"site": "north"}}
    return json.dumps({"file": file, "label": label, **facts, **scores})


def test_scores_stand_under_the_class_lists_classes_then_the_baselines_own() -> None:
    models = {
        "candidate": {"classes": ["cat", "dog"]},
        "baseline": {"version": "7", "classes": ["ant", "cat"]},
    }
    rows = [
        line("b.png", "dog", candidate=[0.4, 0.6], baseline=[0.9, 0.1]),
        line("a.png", "cat", candidate=[0.7, 0.3], baseline=[0.2, 0.8]),
    ]
    found = read(models, rows)
    assert found.classes == ["cat", "dog", "ant"]
    assert found.known == 2
    assert found.files == ["a.png", "b.png"]
    assert found.labels.tolist() == [0, 1]
    assert found.scores["candidate"].tolist() == [[0.7, 0.3, 0.0], [0.4, 0.6, 0.0]]
    assert found.scores["baseline"].tolist() == [[0.8, 0.0, 0.2], [0.1, 0.0, 0.9]]
    assert found.correct("candidate").tolist() == [True, True]
    assert found.correct("baseline").tolist() == [True, False]
    assert found.majority == 0.5
    assert found.facts[0] == {"site": "north", "picture_size": "128-255 px"}


@pytest.mark.parametrize("baseline", [None, {"version": "7", "fault": "it can't be loaded"}])
def test_a_baseline_that_was_not_asked_has_no_scores(baseline: dict[str, str] | None) -> None:
    models = {"candidate": {"classes": ["cat", "dog"]}, "baseline": baseline}
    found = read(models, [line("a.png", "dog", candidate=[0.7, 0.3])])
    assert list(found.scores) == ["candidate"]
    assert found.baseline == baseline
    assert np.all(found.predicted["candidate"] == [0])


@pytest.mark.parametrize(
    ("height", "width", "bucket"),
    [(1, 9, "1-1 px"), (64, 65, "64-127 px"), (500, 127, "64-127 px"), (300, 299, "256-511 px")],
)
def test_the_size_is_the_shorter_sides_power_of_two(height: int, width: int, bucket: str) -> None:
    assert size_bucket({"height": height, "width": width}) == bucket
