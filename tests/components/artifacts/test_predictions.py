from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from components.artifacts import prediction_rows
from components.artifacts.predictions import read, read_from, size_bucket


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
    for name, value in (("site", "north"), ("picture_size", "128-255 px"), ("lens", "")):
        codes, values = found.facts.values(name)
        assert [values[code] for code in codes.tolist()] == [value, value]


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


def test_a_folder_of_both_forms_is_read_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction_rows.parquet, "PIECE", 7)
    models = {
        "candidate": {"classes": ["cat", "dog"]},
        "baseline": {"version": "7", "classes": ["ant", "dog"]},
    }
    lines = [
        line(
            f"{number:03}.png",
            "cat" if number % 3 else "dog",
            candidate=[number / 100, 1 - number / 100],
            baseline=[0.25, 0.75],
        )
        for number in range(100)
    ]
    (tmp_path / "models.json").write_text(json.dumps(models))
    (tmp_path / "predictions-1.jsonl").write_text("\n".join(lines[:50]))
    rest = pa.Table.from_batches(prediction_rows.of_lines(lines[:49:-1]))
    pq.write_table(rest, tmp_path / "predictions-0.parquet", row_group_size=20)
    found, expected = read_from(str(tmp_path)), read(models, lines)
    assert found.files == expected.files and found.files[99] == "099.png"
    assert np.array_equal(found.labels, expected.labels)
    for model, scores in expected.scores.items():
        assert np.array_equal(found.scores[model], scores)
    assert found.facts[99] == expected.facts[99] and found.facts.names == {"site", "picture_size"}
    parts = list(prediction_rows.parts(str(tmp_path / "predictions-0.parquet")))
    assert [group for _, group in parts] == [0, 1, 2]
    sizes = [sum(batch.num_rows for batch in prediction_rows.batches(*part)) for part in parts]
    assert sizes == [20, 20, 10]


def test_whether_the_candidate_is_certain_follows_its_picture() -> None:
    models = {"candidate": {"classes": ["cat", "dog"]}, "baseline": None}
    told = [("b.png", True), ("a.png", False)]
    rows = [
        json.dumps(json.loads(line(file, "cat", candidate=[0.7, 0.3])) | {"certain": certain})
        for file, certain in told
    ]
    found = read(models, rows).certain
    assert found is not None and found.tolist() == [False, True]
    assert read(models, [line("a.png", "cat", candidate=[0.7, 0.3])]).certain is None


def test_a_file_without_rows_has_none(tmp_path: Path) -> None:
    path = str(tmp_path / "predictions-0.parquet")
    pq.ParquetWriter(path, prediction_rows.SCHEMA).close()
    assert list(prediction_rows.batches(path)) == [] == list(prediction_rows.parts(path))
