from __future__ import annotations

import json
from pathlib import Path

import pytest

from components.artifacts import ledger_rows
from components.artifacts.rows import Row, Rows


def accepted(number: int) -> Row:
    place = {"place": f"pictures-{number % 3}", "offset": str(100 * number)}
    return {"file": f"cats/{number:04}.png", "label": "cats", "split": "test", **place}


MADE = [accepted(number) for number in range(50)]
MADE.append({"file": "dogs/1.png", "label": "dogs", "reason": "empty file"})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A ledger of three files, whose row groups have eight rows."""
    monkeypatch.setattr(ledger_rows, "_MOST", 20)
    monkeypatch.setattr(ledger_rows, "_GROUP", 8)
    ledger_rows.write(str(tmp_path), Rows.of(MADE))
    return str(tmp_path)


def test_a_ledger_of_several_files_is_read_as_it_was_written(folder: str) -> None:
    assert len(list(Path(folder).iterdir())) == 3
    assert list(ledger_rows.read(folder)) == MADE
    assert next(ledger_rows.read(folder, ("file", "split"))) == {
        "file": "cats/0000.png",
        "split": "test",
    }


def test_a_ledger_of_an_earlier_version_is_read_but_has_no_places(tmp_path: Path) -> None:
    lines = "".join(f"{json.dumps(row)}\n" for row in MADE)
    (tmp_path / "ledger-00000-of-00001.jsonl").write_text(lines)
    assert list(ledger_rows.read(str(tmp_path))) == MADE
    assert ledger_rows.places(str(tmp_path), {"cats/0001.png"}) is None


def test_where_a_record_lies_is_looked_up_in_the_row_groups_that_can_hold_it(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    of = ledger_rows.parquet.opened

    class Watched:
        def __init__(self, path: str):
            self._file = of(path)

        def __getattr__(self, name: str) -> object:
            return getattr(self._file, name)

        def read_row_group(self, group: int, columns: list[str]) -> object:
            read.append(group)
            return self._file.read_row_group(group, columns)

    monkeypatch.setattr(ledger_rows.parquet, "opened", Watched)
    found = ledger_rows.places(folder, {"cats/0001.png", "cats/0030.png", "dogs/1.png", "none"})
    assert found == {
        "cats/0001.png": ("test", "pictures-1", 100),
        "cats/0030.png": ("test", "pictures-0", 3000),
    }
    assert len(read) == 3  # of seven
