from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from components.artifacts import known_pictures, packed_json
from components.artifacts.known_pictures import Picture
from components.image_example_gen.sources.corrections import read_corrections
from pipeline import cli
from tests.pipeline.store.made_metadata import record


def doubt(number: int, in_doubt: bool) -> dict[str, Any]:
    return {
        "file": f"cats/{number}.png",
        "sha256": f"{number:064}",
        "split": "train",
        "label": "cats",
        "suggested": "dogs",
        "score": 0.9,
        "label_score": 0.1,
        "in_doubt": in_doubt,
    }


def pictures(*rows: tuple[str, str, str]) -> bytes:
    return known_pictures.as_bytes([Picture(*row) for row in rows])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    before = [("cats/1.png", "cats", "1"), ("cats/2.png", "cats", "2"), ("dogs/3.png", "dogs", "3")]
    after = [("cats/1.png", "cats", "1"), ("dogs/2.png", "dogs", "2"), ("dogs/3.png", "dogs", "3")]
    before += [(f"dogs/old-{number:02}.png", "dogs", f"old{number}") for number in range(12)]
    after += [("cats/renamed.png", "cats", "new")]
    for run_id, rows in (("20261101-aaaa", before), ("20261108-bbbb", after)):
        record(
            tmp_path, run_id, {"IngestReport": {"accepted": 3, "fingerprint": "0"}, "Report": {}}
        )
        (tmp_path / run_id / "IngestReport" / known_pictures.FILE).write_bytes(pictures(*rows))
    rows_of_doubts = [doubt(1, True), doubt(2, True), doubt(3, False)]
    path = tmp_path / "20261108-bbbb" / "Report" / "doubts.json.gz"
    path.write_bytes(packed_json.packed(rows_of_doubts))
    return tmp_path


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], root: Path) -> Any:
    """Runs the command on the root; returns exit code, standard output and standard error."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["transfer-pipeline", *words, "--root", str(root)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


def test_doubts_writes_what_corrections_reads_and_never_overwrites(
    command: Any, tmp_path: Path
) -> None:
    path = tmp_path / "doubts.csv"
    code, out, _ = command("doubts", "--output", str(path))
    assert code == 0 and "2 of 3 labels are in doubt" in out
    found = read_corrections(str(path), ["cats", "dogs"])
    assert found == {f"{1:064}": "dogs", f"{2:064}": "dogs"}
    before = path.read_bytes()
    code, _, err = command("doubts", "--output", str(path))
    assert code == 2 and "is there already" in err
    assert path.read_bytes() == before


def test_with_all_what_is_not_in_doubt_keeps_its_label(command: Any, tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    assert command("doubts", "--all", "--output", str(path))[0] == 0
    with path.open(newline="") as file:
        assert [row["label"] for row in csv.DictReader(file)] == ["dogs", "dogs", "cats"]


def test_doubts_tells_programs_everything(command: Any) -> None:
    code, out, _ = command("doubts", "--json")
    found = json.loads(out)
    assert code == 0 and found["run_id"] == "20261108-bbbb" and found["in_doubt"] == 2
    assert [row["file"] for row in found["doubts"]] == ["cats/1.png", "cats/2.png"]


def test_a_run_without_doubts_is_told(command: Any) -> None:
    code, _, err = command("doubts", "--run", "previous")
    assert code == 2 and "looked for no labels in doubt" in err


def test_data_diff_says_what_came_went_and_changed_its_label(command: Any) -> None:
    code, out, _ = command("data", "diff", "previous", "latest", "--json")
    found = json.loads(out)
    assert code == 0 and found["came"] == ["cats/renamed.png"]
    assert len(found["went"]) == 12
    assert found["relabelled"] == [{"file": "dogs/2.png", "from": "cats", "to": "dogs"}]


def test_data_diff_prints_ten_of_a_kind_or_all(command: Any) -> None:
    _, out, _ = command("data", "diff", "previous", "latest")
    lines = out.splitlines()
    assert sum(line.startswith("went  dogs") for line in lines) == 10
    assert "went  2 more; --all lists them." in lines
    assert "relabelled  dogs/2.png: cats, now dogs" in lines
    assert lines[-1] == "1 came, 12 went, 1 relabelled from 20261101-aaaa to 20261108-bbbb"
    _, out, _ = command("data", "diff", "previous", "latest", "--all")
    assert sum(line.startswith("went  dogs") for line in out.splitlines()) == 12
