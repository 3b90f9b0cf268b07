from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ml_metadata.proto.metadata_store_pb2 import Execution

from components.errors import ConfigError
from pipeline.commands.runs import compare, list_runs, report
from pipeline.store.root import failed_folder, locked, options_of
from tests.explains import refused
from tests.pipeline.store.made_metadata import record

NO_STORE = {
    "allowed": "Where runtime.metadata names another store",
    "next": "name it with --metadata",
}


def documents(accuracy: float, verdict: str) -> dict[str, Any]:
    row = {"metric": "accuracy", "slice": "overall", "found": accuracy, "needed": ">= 0.8"}
    metrics = {"pictures": 10, "accuracy": accuracy, "class_recall": {"cats": accuracy}}
    return {
        "IngestReport": {"accepted": 120, "fingerprint": "0123456789abcdef"},
        "GateVerdict": {
            "verdict": verdict,
            "gate": [{**row, "passed": accuracy >= 0.8}],
            "metrics": {"candidate": metrics},
        },
        "Report": {"training": {"seed": 0, "rate": accuracy / 10}, "image": {"size": [32, 32]}},
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    record(tmp_path, "20261101-aaaa", documents(0.7, "refused"))
    record(tmp_path, "20261108-bbbb", documents(0.9, "passed"), pushed="17")
    for page in tmp_path.glob("*/Report"):
        (page / "report.html").touch()
    return tmp_path


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_runs_are_listed_with_date_data_accuracy_verdict_and_version(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    list_runs(root, as_json=True)
    newest, oldest = printed(capsys)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", newest.pop("date"))
    assert newest == {
        "run_id": "20261108-bbbb",
        "data": "120 pictures, 01234567",
        "accuracy": 0.9,
        "verdict": "pushed",
        "pushed_version": 17,
    }
    assert (oldest["verdict"], oldest["pushed_version"]) == ("refused", None)


def test_two_runs_stand_side_by_side(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compare(root, ("20261101-aaaa", "latest"), as_json=True)
    found = printed(capsys)
    assert list(found) == ["20261101-aaaa", "20261108-bbbb"]
    assert found["20261101-aaaa"]["accuracy"] == 0.7
    assert found["20261108-bbbb"]["recall (cats)"] == 0.9
    settings = {key: value for key, value in found["20261108-bbbb"].items() if "config" in key}
    assert settings == {"config: training.rate": pytest.approx(0.09)}  # the others are the same
    assert found["20261101-aaaa"]["gate: accuracy (overall)"] == "FAIL, needed >= 0.8"
    assert found["20261108-bbbb"]["gate: accuracy (overall)"] == "pass, needed >= 0.8"
    compare(root, ("20261101", "20261108"), as_json=False)
    text = capsys.readouterr().out
    assert "+0.2000" in text and "FAIL" in text


def test_what_is_the_same_is_counted_and_shown_on_request(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compare(root, ("latest", "latest"), as_json=False)
    text = capsys.readouterr().out
    assert "accuracy" not in text and "rows are the same in both runs. --all shows" in text
    compare(root, ("latest", "latest"), as_json=False, everything=True)
    text = capsys.readouterr().out
    assert "accuracy" in text and "--all" not in text


def test_of_many_classes_ten_are_compared_those_with_the_greatest_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for run_id, step in (("one", 0.0), ("two", 0.01)):
        made = documents(0.9, "passed")
        recalls = {f"class-{number:02}": 0.1 + step * number for number in range(1, 31)}
        made["GateVerdict"]["metrics"]["candidate"]["class_recall"] = recalls
        record(tmp_path, run_id, made)
    compare(tmp_path, ("previous", "latest"), as_json=False)
    text = capsys.readouterr().out
    assert text.count("recall (") == 10
    assert "class-30" in text and "class-20" not in text
    assert "recall: 20 more differ" in text


def test_ids_are_whole_on_a_narrow_terminal_and_in_a_pipe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_ids = ("20261101-101010-aaaa", "manual__2026-11-08T10:11:12.123456+00:00")
    for run_id, accuracy in zip(run_ids, (0.8, 0.9), strict=True):
        record(tmp_path, run_id, documents(accuracy, "passed"), pushed="1700000000")
    monkeypatch.setenv("COLUMNS", "80")
    for forced in ("", "1"):
        if forced:
            monkeypatch.setenv("FORCE_COLOR", forced)  # as a terminal
        list_runs(tmp_path, as_json=False)
        compare(tmp_path, ("previous", "latest"), as_json=False)
        listed = capsys.readouterr().out
        assert all(listed.count(run_id) == 2 for run_id in run_ids)


def test_a_run_is_named_by_its_age(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report(root, "previous")
    assert "20261101-aaaa" in capsys.readouterr().out


def test_there_is_no_run_before_the_only_one(tmp_path: Path) -> None:
    record(tmp_path, "monday", {})
    with refused(
        ConfigError, found="No run 'previous'", allowed="monday, or `latest`", next="Name one of"
    ):
        report(tmp_path, "previous")


def test_a_report_is_found_by_the_beginning_of_its_runs_id(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report(root, "20261101")
    assert capsys.readouterr().out == f"{root / '20261101-aaaa' / 'Report' / 'report.html'}\n"
    report(root, "latest")
    assert "20261108-bbbb" in capsys.readouterr().out


def test_a_failed_runs_page_is_found_too(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(root, "20261115-cccc", {})
    with refused(
        ConfigError,
        found="20261115-cccc has no page",
        allowed="it ended before its Report, still runs, or the page was deleted",
        next=f"Name another one: `transfer-pipeline runs --root {root}` lists all",
    ):
        report(root, "20261115")
    page = failed_folder(root, "20261115-cccc") / "report.html"
    page.parent.mkdir(parents=True)
    page.write_text("failed")
    report(root, "latest")
    assert capsys.readouterr().out == f"{page}\n"


def test_the_newest_page_is_of_an_older_run_where_the_latest_has_none(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(root, "20261115-cccc", {})
    report(root, "latest", as_json=True)
    printed = capsys.readouterr()
    assert json.loads(printed.out)["run_id"] == "20261108-bbbb"
    assert "20261115-cccc has no page" in printed.err


def test_a_run_that_holds_the_root_is_running_and_a_killed_one_has_failed(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(root, "20261115-cccc", {}, state=Execution.RUNNING)

    def verdicts() -> list[str]:
        list_runs(root, as_json=True)
        return [row["verdict"] for row in printed(capsys)]

    with locked(root):
        assert verdicts() == ["running", "pushed", "refused"]
    assert verdicts() == ["failed", "pushed", "refused"]


def test_a_run_that_is_not_there_is_refused_with_those_that_are(root: Path) -> None:
    known = {"allowed": "20261108-bbbb, 20261101-aaaa", "next": "Name one of"}
    with refused(ConfigError, found="No run '2025'", **known):
        report(root, "2025")
    with refused(ConfigError, found="2 runs begin with '2026'", **known):
        compare(root, ("2026", "latest"), as_json=False)
    with refused(ConfigError, found="has no metadata.sqlite", **NO_STORE):
        list_runs(root / "elsewhere", as_json=False)


def test_runs_are_read_from_another_store_than_the_root_s(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path, "monday", {})
    elsewhere = tmp_path / "elsewhere.sqlite"
    (tmp_path / "metadata.sqlite").rename(elsewhere)
    list_runs(tmp_path, True, str(elsewhere))
    assert [row["run_id"] for row in json.loads(capsys.readouterr().out)] == ["monday"]
    with refused(ConfigError, found="has no metadata.sqlite", **NO_STORE):
        list_runs(tmp_path, True)
    with refused(ConfigError, found="none.sqlite", **NO_STORE):
        list_runs(tmp_path, True, str(tmp_path / "none.sqlite"))
    assert not (tmp_path / "none.sqlite").exists()
    with refused(
        ConfigError,
        found="--metadata: no store is reached by oracle://",
        allowed="allowed are a path, grpc://",
        next="Name the store",
    ):
        list_runs(tmp_path, True, "oracle://db")


@pytest.mark.parametrize(
    ("store", "named"),
    [
        ("/srv/runs/metadata.sqlite", []),
        ("/srv/other.sqlite", ["--metadata", "/srv/other.sqlite"]),
        ("grpc://metadata", ["--metadata", "grpc://metadata"]),
        ("mysql://me:secret@db/x", ["--metadata", "mysql://me:...@db/x"]),
    ],
)
def test_the_options_that_find_a_runs_root_name_a_store_that_lies_elsewhere(
    store: str, named: list[str]
) -> None:
    assert options_of(Path("/srv/runs"), store) == ["--root", "/srv/runs", *named]


@pytest.mark.parametrize("columns", [80, 120])
def test_names_settings_and_versions_are_whole_beside_long_cells(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
) -> None:
    for run_id, rate in (("20261101-101010-aaaa", 0.00011), ("20261108-101010-bbbb", 1e-9)):
        made = documents(0.9, "passed")
        made["Report"]["training"]["rate"] = rate
        needed = f">= 0.9 ({'the model served now: 0.9, ' * 20})"
        made["GateVerdict"]["gate"].append(
            {"metric": "served", "slice": run_id, "found": 0.1, "needed": needed, "passed": False}
        )
        record(tmp_path, run_id, made, pushed="1700000000")
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("FORCE_COLOR", "1")  # as a terminal
    compare(tmp_path, ("previous", "latest"), as_json=False)
    text = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert "config: training.rate" in text and "0.00011" in text and "1e-09" in text
    assert "change" in text and max(map(len, text.splitlines())) <= columns
    list_runs(tmp_path, as_json=False)
    text = capsys.readouterr().out
    assert text.count("1700000000") == 2 and text.count("pushed") == 2
