from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from components.step import progress
from pipeline.commands import console
from pipeline.commands.console import RunView, show_summary

ROOT = Path(__file__).resolve().parents[3]

NOISY = """
import logging, os, subprocess, sys
from pathlib import Path
from pipeline.commands.console import quiet
try:
    with quiet(Path(sys.argv[1]), to_stderr=sys.argv[2] == "stderr") as shown:
        os.write(1, b"C to 1\\n")
        os.write(2, b"C to 2\\n")
        subprocess.run(["sh", "-c", "echo child to 1; echo child to 2 >&2"], check=True)
        print("Python to stdout")
        logging.getLogger("any").warning("logged")
        shown.print("for people")
        if sys.argv[3] == "fail":
            raise KeyError("fault")
finally:
    logging.getLogger("any").warning("later")
    print("after")
"""
HOSTILE = """
import logging, sys, warnings
from pathlib import Path
from pipeline.commands.console import quiet
name = "x\\x1b]0;owned\\x07.png"
with quiet(Path(sys.argv[1]), to_stderr=False) as shown:
    logging.getLogger("any").warning("bad picture %s", name)
    warnings.warn(f"odd picture {name}")
    try:
        raise ValueError(name)
    except ValueError:
        logging.exception("failed")
"""
NOISE = ["C to 1", "C to 2", "child to 1", "child to 2", "Python to stdout", "WARNING any logged"]


def _noisy(log: Path, stream: str, end: str) -> tuple[str, str]:
    command = [sys.executable, "-c", NOISY, str(log), stream, end]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.stdout, done.stderr


@pytest.mark.parametrize("end", ["go on", "fail"])
def test_noise_goes_to_the_log_and_people_see_their_lines(tmp_path: Path, end: str) -> None:
    log = tmp_path / "logs" / "run.log"
    stdout, stderr = _noisy(log, "stdout", end)
    assert stdout.splitlines() == ["for people", "after"]
    assert all(noise not in stdout + stderr for noise in NOISE)
    written = log.read_text()
    assert all(noise in written for noise in NOISE)
    assert all(word not in written for word in ["for people", "after", "later"])
    assert "WARNING any later" not in stderr
    assert ("KeyError" in stderr) is (end == "fail")


def test_standard_output_is_kept_for_programs_where_they_read_it(tmp_path: Path) -> None:
    stdout, stderr = _noisy(tmp_path / "run.log", "stderr", "go on")
    assert stdout.splitlines() == ["after"]
    assert stderr.splitlines()[0] == "for people"


def test_the_log_is_appended_to(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_text("before\n")
    _noisy(log, "stdout", "go on")
    assert log.read_text().startswith("before\n")


@pytest.fixture
def shown() -> Console:
    """A console that is no terminal."""
    return Console(file=io.StringIO(), highlight=False, soft_wrap=True)


def lines(shown: Console) -> list[str]:
    assert isinstance(shown.file, io.StringIO)
    return shown.file.getvalue().splitlines()


def test_a_node_has_one_line_at_its_start_and_one_at_its_end(shown: Console) -> None:
    with RunView(shown) as view:
        view.node_started("Trainer", 7, 12)
        progress.report("phase frozen", 1, 10)
        assert lines(shown) == ["[ 7/12] Trainer ..."]
        view.node_ended("Trainer", "ran", 12.34)
    assert len(lines(shown)) == 2
    assert lines(shown)[1].split() == ["[", "7/12]", "Trainer", "done", "12.3", "s"]


def test_a_note_is_shown_at_once_and_stays(shown: Console) -> None:
    with RunView(shown) as view:
        view.node_started("Trainer", 7, 12)
        progress.note("resumes after epoch 3 of phase frozen")
    assert lines(shown)[1:] == ["[ 7/12] Trainer  resumes after epoch 3 of phase frozen"]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("cached", ["cached"]),
        ("failed", ["failed", "1.0", "s"]),
        ("interrupted", ["interrupted", "1.0", "s"]),
    ],
)
def test_the_line_at_the_end_says_how_it_ended(
    shown: Console, state: str, words: list[str]
) -> None:
    with RunView(shown) as view:
        view.node_started("Pusher", 12, 12)
        view.node_ended("Pusher", state, 1.0)
    assert lines(shown)[1].split()[2:] == words


def test_long_nodes_show_now_and_then_how_far_they_are(
    shown: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "_PLAIN_SECONDS", -1)
    with RunView(shown) as view:
        view.node_started("BottleneckGen", 6, 12)
        progress.report("pictures", 32)
        progress.report("phase", 5, 10)
        progress.report("waiting [for a server]")
    assert lines(shown)[1:] == [
        "[ 6/12] BottleneckGen  32 pictures",
        f"[ 6/12] BottleneckGen  {'━' * 10}{'╌' * 10} 5/10 phase",
        "[ 6/12] BottleneckGen  waiting [for a server]",
    ]


def test_progress_after_the_run_reaches_nobody(shown: Console) -> None:
    with RunView(shown) as view:
        view.say("[bold] is said as it stands")
    progress.report("late", 1)
    assert lines(shown) == ["[bold] is said as it stands"]


RESULT: dict[str, Any] = {
    "verdict": "pushed",
    "metrics": {"accuracy": 0.9, "class_recall": {"cats [s]": 0.8, "dogs": 1.0}},
    "gate": [
        {
            "metric": "accuracy",
            "slice": "overall",
            "found": 0.9,
            "needed": ">= 0.8",
            "passed": True,
        },
        {"metric": "recall", "slice": "dogs", "found": 0.1, "needed": ">= 0.5", "passed": False},
    ],
    "pushed_version": 7,
    "model_dir": "/models",
    "report": "/r/report.html",
    "log": "/r/run.log",
    "error": None,
}


def summary(shown: Console, **changes: Any) -> list[str]:
    where = ["--root", "my runs"]
    show_summary(shown, {**RESULT, **changes}, picture="my cats/1.png", where=where)
    return lines(shown)


def test_the_summary_has_figures_reasons_and_how_to_go_on(shown: Console) -> None:
    text = "\n".join(summary(shown))
    for word in [
        "Test accuracy   0.9000",
        "cats [s] 0.8000, dogs 1.0000",
        "pass accuracy (overall) 0.9000, needed >= 0.8",
        "FAIL recall (dogs) 0.1000, needed >= 0.5",
        "/r/report.html",
        "/r/run.log",
        "transfer-pipeline serve --model-dir /models",
        "transfer-pipeline classify 'my cats/1.png'",
    ]:
        assert word in text


def test_a_recall_that_was_not_measured_is_said_to_be_so(shown: Console) -> None:
    row = {"metric": "recall", "slice": "dogs", "found": None, "needed": ">= 0", "passed": True}
    metrics = {"accuracy": 0.9, "class_recall": {"cats": 0.8, "dogs": None}}
    text = "\n".join(summary(shown, metrics=metrics, gate=[row]))
    assert "cats 0.8000, dogs not measured" in text
    assert "recall (dogs) not measured, needed >= 0" in text


def test_of_many_classes_the_lowest_recalls_and_the_missed_thresholds_are_told(
    shown: Console,
) -> None:
    recall = {f"c{number:03}": number / 200 for number in range(200)}
    row = {"metric": "recall", "needed": ">= 0.1"}
    gate = [
        {**row, "slice": name, "found": found, "passed": found >= 0.1}
        for name, found in recall.items()
    ]
    gate.append({**row, "metric": "accuracy", "slice": "overall", "found": 0.5, "passed": True})
    lines = summary(shown, metrics={"accuracy": 0.5, "class_recall": recall}, gate=gate)
    text = "\n".join(lines)
    assert "c009 0.0450 (the lowest; 190 more classes)" in text
    assert "c010" not in text
    assert sum("FAIL" in line for line in lines) == 11  # ten, and how many more
    assert "pass accuracy (overall)" in text
    assert "FAIL 10 more, by class" in text
    assert "pass 180 more, by class" in text


@pytest.mark.parametrize(
    ("changes", "last"),
    [
        ({}, "pushed as version 7"),
        ({"verdict": "unchanged"}, "unchanged: the candidate is the model served already"),
        ({"verdict": "refused"}, "refused by the gate: recall (dogs); nothing was pushed"),
        ({"verdict": "failed", "error": "Trainer: no [space]"}, "failed: Trainer: no [space]"),
        ({"verdict": None}, "done up to the node asked for; nothing was judged"),
    ],
)
def test_the_last_line_tells_how_the_run_ended(
    shown: Console, changes: dict[str, Any], last: str
) -> None:
    assert summary(shown, **changes)[-1] == last


def test_a_refused_run_says_what_to_do_next(shown: Console) -> None:
    assert "--bless" not in "\n".join(summary(shown))
    text = "\n".join(summary(shown, verdict="refused"))
    assert "transfer-pipeline report --root 'my runs' --mistakes mistakes" in text
    assert "the same command with --bless REASON" in text


@pytest.mark.parametrize("verdict", ["refused", "failed"])
def test_a_model_that_was_not_pushed_is_not_offered(shown: Console, verdict: str) -> None:
    text = "\n".join(summary(shown, verdict=verdict, error="x"))
    assert "transfer-pipeline serve" not in text
    assert "/r/run.log" in text


def test_the_log_holds_no_raw_control_characters(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    subprocess.run([sys.executable, "-c", HOSTILE, str(log)], cwd=ROOT, check=True)
    text = log.read_text("utf-8")
    assert "\x1b" not in text and "\x07" not in text
    for said in ("bad picture", "odd picture", "ValueError: "):
        assert f"{said}{' ' if said[-1] != ' ' else ''}x\\x1b]0;owned\\x07.png" in text
