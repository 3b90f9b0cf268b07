"""`run --dry-run` tells what the run then does, and leaves the root as it was."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.commands.run import run
from tests.e2e.conftest import BEFORE_TRAINER, FirstRun, Place


def _content(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in folder.rglob("*")
    }


def _told(
    place: Place, capsys: pytest.CaptureFixture[str], *assignments: str, **words: Any
) -> dict[str, Any]:
    before = _content(place.root)
    assert run(place.request(*assignments, dry=True, as_json=True, **words)) == 0
    assert _content(place.root) == before
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def _states(told: dict[str, Any]) -> dict[str, str]:
    return {row["node"]: row["state"] for row in told["nodes"]}


def test_it_tells_the_states_that_the_run_then_has(
    first_run: FirstRun, capsys: pytest.CaptureFixture[str]
) -> None:
    rate = "training.frozen.learning_rate=0.03"
    told = _told(first_run, capsys, rate, to_node="Trainer")
    states = _states(told)
    assert {states[name] for name in BEFORE_TRAINER} <= {"cached", "skipped"}
    assert (states["BottleneckGen"], states["Trainer"]) == ("cached", "would run")
    assert (states["Evaluator"], told["pictures"]) == ("skipped", 120)
    assert told["estimated_by"] == "earlier runs" and told["seconds"] > 0
    done = first_run.run(rate, to_node="Trainer")["components"]
    words = {"ran": "would run"}
    assert {name: words.get(node["state"], node["state"]) for name, node in done.items()} == states


def test_what_reads_of_a_node_that_must_run_has_to_run_too(
    first_run: FirstRun, capsys: pytest.CaptureFixture[str], pictures_to_change: Path
) -> None:
    (pictures_to_change / "red" / "004.png").unlink()
    states = _states(_told(first_run, capsys))
    assert states["ImportSchemaGen"] == "cached"
    assert {states[name] for name in ("ImageExampleGen", "Transform", "Report")} == {"would run"}


def test_of_a_model_that_is_served_already_nothing_else_would_run(
    first_run: FirstRun, capsys: pytest.CaptureFixture[str]
) -> None:
    states = _states(_told(first_run, capsys))
    assert states.pop("BaselineResolver") in ("cached", "would run")  # it copies what is served
    assert set(states.values()) == {"cached"}


def test_a_new_root_is_not_made_and_the_time_is_measured(
    first_run: FirstRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Place(first_run.pictures, tmp_path / "new")
    told = _told(place, capsys)
    assert set(_states(told).values()) == {"would run"}
    assert (told["estimated_by"], told["seconds"] > 0) == ("forward pass", True)
    assert not place.root.exists()
