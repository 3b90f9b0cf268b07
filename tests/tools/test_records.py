from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import record as records
from benchmarks.figures import recorded, show_bound, show_table
from benchmarks.record import Record, with_tables


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(records, "RECORDS", tmp_path / "records")
    return tmp_path / "records"


def measure() -> None:
    with recorded("made"):
        show_table("Seconds of a run", ["", "new", "cached"], [["Trainer", "14.6", "0.1"]])
        show_bound("a run takes 15 s; 20 are allowed", True)


def test_what_a_benchmark_shows_is_kept_with_machine_date_and_versions(folder: Path) -> None:
    measure()
    kept = json.loads((folder / "made.json").read_text())
    assert kept["tables"] == [
        {
            "title": "Seconds of a run",
            "columns": ["", "new", "cached"],
            "rows": [["Trainer", "14.6", "0.1"]],
        }
    ]
    assert kept["bounds"] == [{"text": "a run takes 15 s; 20 are allowed", "holds": True}]
    assert kept["date"] and kept["machine"]["cores"] >= 1 and kept["versions"]["keras"]
    assert Record.read("made") == Record(**kept)


def test_a_benchmark_that_fails_leaves_the_record_before(folder: Path) -> None:
    measure()
    before = (folder / "made.json").read_text()
    with pytest.raises(ZeroDivisionError), recorded("made"):
        show_bound("half of it", False)
        raise ZeroDivisionError
    assert (folder / "made.json").read_text() == before


def test_the_tables_of_a_document_are_made_from_the_records(folder: Path) -> None:
    measure()
    text = with_tables("before\n<!-- record: made -->\nold figures\n<!-- end -->\nafter\n")
    assert "old figures" not in text
    assert "| Trainer | 14.6 | 0.1 |" in text and "- holds: a run takes 15 s" in text
    assert text.startswith("before\n") and text.endswith("after\n")
    assert with_tables(text) == text
    with pytest.raises(FileNotFoundError):
        with_tables("<!-- record: never-run -->\n<!-- end -->")


def test_the_pages_show_what_the_records_hold() -> None:
    for page in (records.README, records.SCALE):
        text = page.read_text("utf-8")
        assert with_tables(text) == text
