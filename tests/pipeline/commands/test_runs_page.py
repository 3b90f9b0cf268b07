from __future__ import annotations

import html.parser
import json
import time
import webbrowser
from pathlib import Path
from typing import Any

import pytest

from components.errors import ConfigError
from pipeline.commands import runs_page
from pipeline.commands.runs import page, report
from pipeline.commands.runs_page import Row
from pipeline.store import outputs
from serving import publishing, withdrawal
from tests.explains import refused
from tests.pipeline.conftest import Say
from tests.pipeline.store.made_metadata import record
from tests.pipeline.store.made_runs import artifact, judged_run

HOSTILE = "<script>alert(1)</script>"


class Tags(html.parser.HTMLParser):
    """The tags of a page and their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def named(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag == name]


def documents(accuracy: float, verdict: str, pipeline: str = "pets") -> dict[str, Any]:
    row = {"metric": "recall", "slice": HOSTILE, "found": accuracy - 0.1, "needed": ">= 0.75"}
    metrics = {
        "pictures": 10,
        "accuracy": accuracy,
        "class_recall": {HOSTILE: accuracy - 0.1, "dogs": 0.99, "rare": None},
        "intervals": {"accuracy": [accuracy - 0.05, accuracy + 0.05], "class_recall": {}},
    }
    counts = {"train": {HOSTILE: 8, "dogs": 80}, "test": {HOSTILE: 1, "dogs": 10}}
    return {
        "IngestReport": {"accepted": 99, "fingerprint": "0123456789", "counts": counts},
        "GateVerdict": {
            "verdict": verdict,
            "gate": [{**row, "passed": verdict != "refused"}],
            "metrics": {"candidate": metrics},
        },
        "Report": {"pipeline_name": pipeline},
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "the runs"
    made.mkdir()
    record(made, "20261101-aaaa", documents(0.8, "refused"))
    record(made, "20261108-bbbb", documents(0.9, "passed"), pushed="17")
    (made / "20261108-bbbb" / "Report" / "report.html").touch()
    return made


def test_the_page_says_what_became_of_each_run_and_why(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page(root, None, as_json=False)
    file = root / "runs.html"
    assert capsys.readouterr().out == f"{file}\n"
    text = file.read_text("utf-8")
    assert text.rindex("20261108-bbbb") < text.rindex("20261101-aaaa")
    assert "version 17" in text and "80.0 %" in text and "85.0 % to 95.0 %" in text
    assert "recall of &lt;script&gt;alert(1)&lt;/script&gt;: 0.7000, needed &gt;= 0.75" in text
    tags = Tags(text)
    assert [link["href"] for link in tags.named("a")] == ["20261108-bbbb/Report/report.html"]
    assert not tags.named("script") and not tags.named("img") and "://" not in text
    # two charts, of two points each; a line per class
    labels = [svg["aria-label"] or "" for svg in tags.named("svg")]
    assert labels[:2] == [
        "Accuracy, run after run; the last: 90.0 %",
        "Lowest recall of a class, run after run; the last: 80.0 %",
    ]
    assert {"dogs over time", f"{HOSTILE} over time"} <= set(labels)


def test_links_lead_from_where_the_page_lies(root: Path, tmp_path: Path) -> None:
    (tmp_path / "shown").mkdir()
    page(root, tmp_path / "shown" / "a.html", as_json=False)
    [link] = Tags((tmp_path / "shown" / "a.html").read_text("utf-8")).named("a")
    assert link["href"] == "../the%20runs/20261108-bbbb/Report/report.html"


def test_programs_read_the_path_and_the_runs(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page(root, None, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["page"] == str(root / "runs.html")
    assert [row["verdict"] for row in found["runs"]] == ["pushed", "refused"]


def test_each_pipeline_of_the_root_has_charts_of_its_own(root: Path) -> None:
    record(root, "20261109-cccc", documents(0.7, "passed", "cells"), pushed="18")
    page(root, None, as_json=False)
    labels = [
        svg["aria-label"] for svg in Tags((root / "runs.html").read_text("utf-8")).named("svg")
    ]
    assert labels.count("Accuracy, run after run; the last: 90.0 %") == 1
    assert labels.count("Accuracy, run after run; the last: 70.0 %") == 1


def test_a_rollback_is_told(tmp_path: Path) -> None:
    directory = tmp_path / "served"
    model = tmp_path / "model"
    model.mkdir()
    (model / "saved_model.pb").touch()
    numbers = [publishing.publish(model, directory) for _ in range(2)]
    withdrawal.rollback(directory, numbers[0])

    def state(number: int) -> str | None:
        run = judged_run(tmp_path, verdict="passed", pushed=number)
        run.outputs[outputs.PUSHED_MODEL] = artifact(
            tmp_path,
            pushed=1,
            pushed_version=str(number),
            pushed_destination=str(directory / str(number)),
        )
        return runs_page._state(run)

    assert [state(number) for number in (*numbers, 3)] == ["served", "withdrawn", "removed"]


def row(at: int, **changes: Any) -> Row:
    values: dict[str, Any] = {
        "run_id": f"202611{at:02}-aaaa",
        "pipeline": "pets",
        "date": f"2026-11-{at:02} 03:00",
        "verdict": "pushed",
        "why": [],
        "version": at,
        "state": "older",
        "link": f"{at}/report.html",
        "pictures": 100,
        "accuracy": 0.85 + at / 200,
        "accuracy_interval": (0.8, 0.95),
        "weakest": HOSTILE,
        "recall": 0.7 + at / 100,
        "recall_interval": (0.6, 0.9),
        "counts": {HOSTILE: 20 + at, "باب مفتوح": 300 - at, "a" * 60: 5},
        "seconds": {"Trainer": 60.0 + at, "ImageExampleGen": 5.0},
    }
    return Row(**values | changes)


def made() -> list[Row]:
    """Seven runs: pushed, rolled back, refused, failed early, served."""
    why = ["recall of cats: 0.4000, needed >= 0.5 (beyond chance)", "servable: 0.0, needed 1"]
    nothing = dict.fromkeys(("accuracy", "accuracy_interval", "weakest", "recall", "version"))
    return [
        *(row(at) for at in (1, 8)),
        row(15, state="withdrawn"),
        row(16, verdict="refused", why=why, version=None, state=None),
        row(17, **nothing, verdict="failed", why=["Trainer failed"], counts={}, seconds={}),
        row(18, **nothing, verdict=None, counts={}, seconds={}, link=None),
        row(22, state="served"),
    ]


def test_what_a_run_has_not_is_left_out() -> None:
    text = runs_page.render("runs", made(), left_out=3)
    for told in ("rolled back", "Trainer failed", "ended early", "3 older runs are left out"):
        assert told in text
    assert "None" not in text and "nan" not in text
    only_failed = runs_page.render("runs", made()[4:6])
    assert "<h2>On the test pictures" not in only_failed and "ended early" in only_failed
    assert "No runs yet" in runs_page.render("runs", [])


def test_two_years_of_runs_are_one_small_page() -> None:
    rows = [row(1 + at % 28, run_id=str(at)) for at in range(104)]
    began = time.process_time()
    text = runs_page.render("runs", rows)
    assert time.process_time() - began < 5 and len(text) < 500_000


def test_a_page_that_can_not_be_written_is_told(root: Path) -> None:
    with refused(
        ConfigError, found="--page: .*a.html", allowed="can't be written", next="Name a file"
    ):
        page(root, root / "no" / "folder" / "a.html", as_json=False)


def test_open_shows_the_page_by_its_address(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: not opened.append(url))
    page(root, None, as_json=False, opened=True)
    report(root, "latest", opened=True)
    assert opened == [
        (root / "runs.html").as_uri(),
        (root / "20261108-bbbb" / "Report" / "report.html").as_uri(),
    ]
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    report(root, "latest", opened=True)
    said = capsys.readouterr()
    assert "report.html" in said.out and "no browser could be started" in said.err


def test_the_command_takes_a_file_after_page(root: Path, tmp_path: Path, say: Say) -> None:
    code, out, _ = say("runs", "--root", root, "--page", tmp_path / "a.html")
    assert (code, out) == (0, f"{tmp_path / 'a.html'}\n") and (tmp_path / "a.html").is_file()
    code, _, err = say("runs", "--root", root, tmp_path / "b.html")
    assert code == 2 and "goes with --page" in err
