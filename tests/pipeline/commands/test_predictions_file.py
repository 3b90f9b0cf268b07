from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from components.artifacts import packed_json
from pipeline import cli
from pipeline.commands.predictions_file import _part
from pipeline.store import outputs
from tests.pipeline.store import made_metadata
from tests.pipeline.test_light_imports import imported_by

RUN = "20261101-aaaa"
ROWS = [  # file, label, scores of cats and of "=dogs"
    ("cats/1.png", "cats", [0.9, 0.1]),
    ("cats/2.png", "cats", [0.2, 0.8]),
    ("more/2.png", "cats", [0.3, 0.7]),
    ("gone/3.png", "cats", [0.4, 0.6]),
    ("=dogs/4.png", "=dogs", [0.1, 0.9]),
]


def predictions(root: Path, certain: bool) -> None:
    """Writes the Predictions artifact of the run."""
    known = made_metadata.store(root)
    folder = root / RUN / "predictions"
    folder.mkdir(parents=True)
    models = {"candidate": {"classes": ["cats", "=dogs"]}, "baseline": None}
    (folder / "models.json").write_text(json.dumps(models))
    rows = [
        {
            **{"file": file, "sha256": "0", "label": label, "height": 8, "width": 8},
            **{"columns": {}, "candidate": scores},
            **({"certain": file == "cats/1.png"} if certain else {}),
        }
        for file, label, scores in ROWS
    ]
    (folder / "predictions-00000-of-00001.jsonl").write_text("\n".join(map(json.dumps, rows)))
    made_metadata.execute(known, RUN, outputs.PREDICTIONS, "Predictions", folder)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "pictures.csv"
    for file, _, _ in ROWS:
        if not file.startswith("gone"):
            (tmp_path / file).parent.mkdir(exist_ok=True)
            (tmp_path / file).write_bytes(file.encode())
    lines = [f"{file},{label}" for file, label, _ in ROWS if not file.startswith("gone")]
    source.write_text("\n".join(["path,label", *lines]))
    return source


@pytest.fixture
def root(tmp_path: Path, source: Path) -> Path:
    root = tmp_path / "runs"
    root.mkdir()
    data = {"source": str(source), "min_pictures": 0}
    made_metadata.record(root, RUN, {"Report": {"data": data}})
    doubts = [
        {"file": "cats/1.png", "split": "test", "in_doubt": False},
        {"file": "cats/2.png", "split": "test", "in_doubt": True},
        {"file": "more/2.png", "split": "train", "in_doubt": True},
    ]
    (root / RUN / "Report" / "doubts.json.gz").write_bytes(packed_json.packed(doubts))
    predictions(root, certain=False)
    return root


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], root: Path) -> Any:
    """Runs `report`; returns exit code, standard output and standard error."""

    def run(*words: str) -> tuple[int, str, str]:
        whole = ["transfer-pipeline", "report", *words, "--root", str(root)]
        monkeypatch.setattr(sys, "argv", whole)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_test_picture_is_a_row(report: Any, tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    assert report("--predictions", str(path))[0] == 0
    rows = {row["file"]: row for row in table(path)}
    assert len(rows) == len(ROWS)
    assert rows["cats/2.png"] == {
        **{"file": "cats/2.png", "truth": "cats", "prediction": "'=dogs", "score": "0.8"},
        **{"split": "test", "in_doubt": "true"},
    }
    assert rows["cats/1.png"]["in_doubt"] == "false"
    assert rows["more/2.png"]["in_doubt"] == ""  # judged in another split only


def test_no_cell_is_a_formula(report: Any, tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    report("--predictions", str(path))
    assert not any(cell.startswith("=") for row in table(path) for cell in row.values())


def test_certain_is_a_column_where_the_model_tells(report: Any, root: Path, tmp_path: Path) -> None:
    for file in (root / RUN / "predictions").iterdir():
        file.unlink()
    (root / RUN / "predictions").rmdir()
    predictions(root, certain=True)
    path = tmp_path / "predictions.csv"
    report("--predictions", str(path))
    assert [row["certain"] for row in table(path)].count("true") == 1


def test_mistakes_are_copied_by_truth_and_prediction(report: Any, tmp_path: Path) -> None:
    folder = tmp_path / "mistakes"
    code, out, err = report("--mistakes", str(folder))
    assert code == 0, err
    assert "2 of 3 mistakes were copied" in out and "1 are no longer" in out
    found = {path.name: path.read_text() for path in (folder / "cats" / "as-=dogs").iterdir()}
    assert found == {"2.png": "cats/2.png", "2-2.png": "more/2.png"}
    assert [path.name for path in folder.iterdir()] == ["cats"]


@pytest.mark.parametrize("option", ["--predictions", "--mistakes"])
def test_nothing_is_overwritten_or_written_beside_what_is_there(
    option: str, report: Any, tmp_path: Path
) -> None:
    there = tmp_path / "there"
    there.mkdir()
    other = {"--predictions": "--mistakes", "--mistakes": "--predictions"}[option]
    code, _, err = report(option, str(there), other, str(tmp_path / "new"))
    assert code == 2 and "is there already" in err
    assert not list(there.iterdir()) and not (tmp_path / "new").exists()


def test_a_run_without_predictions_is_refused(report: Any, root: Path, tmp_path: Path) -> None:
    (root / RUN / "predictions" / "models.json").unlink()
    code, _, err = report("--predictions", str(tmp_path / "new.csv"))
    assert code == 2 and "ended before its Evaluator" in err
    assert not (tmp_path / "new.csv").exists()


@pytest.mark.parametrize("name", ["..", ".", "a/../../b", "/etc", ""])
def test_a_class_name_never_leads_out_of_the_folder(name: str) -> None:
    part = _part(name)
    assert part not in ("", ".", "..") and "/" not in part


def test_writing_both_imports_no_tensorflow(root: Path, tmp_path: Path) -> None:
    words = ["report", "--predictions", str(tmp_path / "new.csv")]
    words += ["--mistakes", str(tmp_path / "new"), "--root", str(root)]
    code = f"import sys; sys.argv = ['transfer-pipeline', *{words!r}]\n"
    code += "from pipeline.cli import main\nmain()"
    assert not imported_by(code) & {"tensorflow", "keras", "tfx", "apache_beam"}
    assert (tmp_path / "new" / "cats").is_dir()
