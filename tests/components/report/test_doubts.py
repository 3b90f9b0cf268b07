from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components import packed
from components.artifacts import examples, features, tfrecords
from components.artifacts.predictions import read
from components.artifacts.types import Bottlenecks, IngestReport
from components.fit import linear_heads
from components.report import doubts, gather
from components.report.doubts import find
from components.report.page import render
from tests.components.report.made_run import models, prediction, run

CLASSES = ["cats", "dogs"]


def written(folder: Path, confirmed: str = "") -> tuple[Bottlenecks, str]:
    """Writes features of 80 pictures, two of them labelled wrongly, and a ledger."""
    random = np.random.default_rng(0)
    bottlenecks = Bottlenecks()
    bottlenecks.uri = str(folder / "bottlenecks")
    rows, records = [], {"train": list[bytes](), "eval": list[bytes]()}
    for number in range(80):
        split, true = "eval" if number % 8 == 0 else "train", number % 2
        label = 1 - true if number in (16, 33) else true
        file = f"{number}.png"
        values = random.normal(3 * true, 1, 20).tolist()
        row = {"file": file, "label": CLASSES[label], "sha256": f"{number:064}", "split": split}
        rows.append(row | ({"corrected_by": file} if file == confirmed else {}))
        known = {features.LABEL: CLASSES[label].encode(), features.FILENAME: file.encode()}
        records[split].append(examples.serialized({features.BOTTLENECK: values, **known}))
    for split, content in records.items():
        place = Path(bottlenecks.uri, f"Split-{split}")
        place.mkdir(parents=True)
        tfrecords.write(str(place / "bottlenecks-0.tfrecord"), content)
    rows.append({"file": "t.png", "label": "cats", "sha256": "f" * 64, "split": "test"})
    rows.append({"file": "u.png", "label": "dogs", "sha256": "e" * 64, "split": "test"})
    rows.append({"file": "broken.png", "label": "dogs", "reason": "empty file"})
    lines = "".join(f"{json.dumps(row)}\n" for row in rows)
    (folder / "ledger-00000-of-00001.jsonl").write_text(lines)
    return bottlenecks, str(folder)


def test_wrong_labels_of_all_splits_are_found_but_for_those_that_a_person_confirmed(
    tmp_path: Path,
) -> None:
    (tmp_path / "ledger").mkdir()
    bottlenecks, report = written(tmp_path, confirmed="33.png")
    rows = [
        prediction("t.png", "cats", {"cats": 0.01, "dogs": 0.99}),
        prediction("u.png", "dogs", {"cats": 0.05, "dogs": 0.95}),
    ]
    found = find(CLASSES, report, bottlenecks, read(models(CLASSES), rows))
    doubted = {doubt.file: doubt for doubt in found if doubt.in_doubt}
    assert {*doubted} == {"16.png", "t.png"}
    assert doubted["16.png"].split == "eval" and doubted["t.png"].split == "test"
    assert (doubted["16.png"].label, doubted["16.png"].suggested) == ("dogs", "cats")
    assert doubted["16.png"].sha256 == f"{16:064}"
    assert [doubt.in_doubt for doubt in found[:3]] == [True, True, False]
    assert len(found) == 81 and "33.png" not in {doubt.file for doubt in found}


def test_heads_are_fitted_to_so_many_pictures_at_a_time_and_each_is_judged_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bottlenecks, report = written(tmp_path)
    monkeypatch.setattr(doubts, "_AT_ONCE", 40)
    monkeypatch.setattr(doubts, "_OF_A_CLASS", 1)
    fitted: list[int] = []
    fit = linear_heads.out_of_fold

    def counted(values: np.ndarray, *more: Any) -> np.ndarray:
        fitted.append(len(values))
        return fit(values, *more)

    monkeypatch.setattr(linear_heads, "out_of_fold", counted)
    found = find(CLASSES, report, bottlenecks, None)
    assert fitted == [40, 40]
    assert sorted(doubt.file for doubt in found) == sorted(f"{at}.png" for at in range(80))
    assert {doubt.file for doubt in found if doubt.in_doubt} == {"16.png", "33.png"}


def test_without_cached_features_the_test_split_alone_is_looked_at(tmp_path: Path) -> None:
    _, report = written(tmp_path)
    rows = [
        prediction("t.png", "cats", {"cats": 0.01, "dogs": 0.99}),
        prediction("u.png", "dogs", {"cats": 0.05, "dogs": 0.95}),
    ]
    found = find(CLASSES, report, None, read(models(CLASSES), rows))
    assert [(doubt.file, doubt.in_doubt) for doubt in found] == [("t.png", True), ("u.png", False)]


def test_the_page_shows_the_doubts_and_how_many_of_the_lost_pictures_they_are() -> None:
    made = run(baseline=True)
    _, wrong = made.changes
    lost = [made.doubts[0]._replace(file=change.file) for change in wrong[:2]]
    html = render(dataclasses.replace(made, doubts=[*lost, *made.doubts]))
    assert "6 are in doubt" in " ".join(html.split())
    assert "labelled <bdi>pear</bdi>" in html and "looks like <bdi>apple</bdi>" in html
    told = " ".join(html.split())
    known = {doubt.file for doubt in made.doubts[:4]} | {doubt.file for doubt in lost}
    number = sum(change.file in known for change in wrong)
    assert f"The labels of {number} of those that turned wrong are in doubt." in told


def test_many_doubts_are_packed_and_in_the_same_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bottlenecks, report = written(tmp_path)
    few = find(CLASSES, report, bottlenecks, None)
    monkeypatch.setattr(packed, "_FEW", 20)
    monkeypatch.setattr(packed, "_BLOCK", 8)
    many = find(CLASSES, report, bottlenecks, None)
    assert few == many and len(many) == 80
    assert [*doubts.documents(few)] == [*doubts.documents(many)]


@pytest.mark.parametrize(("passed", "judged"), [(True, True), (False, False)])
def test_a_candidate_that_misses_the_accuracy_judges_no_label(
    monkeypatch: pytest.MonkeyPatch, passed: bool, judged: bool
) -> None:
    made = run()
    for row in made.verdict["gate"]:
        if row["metric"] == "accuracy":
            row["passed"] = passed
    asked: list[Any] = []
    monkeypatch.setattr(doubts, "find", lambda *given: asked.append(given[-1]) or [])
    gather.with_doubts(made, {"ingest_report": IngestReport()})
    assert [found is not None for found in asked] == [judged]
