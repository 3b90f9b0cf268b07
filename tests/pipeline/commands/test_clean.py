from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from components.settings import metadata
from pipeline import cli
from pipeline.commands.clean import Leftover, _remove
from pipeline.launch import scratch
from pipeline.store import outputs
from pipeline.store.root import locked
from tests.pipeline.store import made_metadata

MODEL = ("Trainer", "model")


class Root:
    """A root of runs whose artifacts lie as TFX lays them."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.known = made_metadata.store(folder)
        self.pushes = folder / "served" / "fruit"
        self._number = 0

    def add(self, run_id: str, made: tuple[str, str], kind: str, **properties: Any) -> Path:
        self._number += 1
        folder = self.folder / "fruit" / made[0] / made[1] / str(self._number)
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(b"0" * 1000)
        made_metadata.execute(self.known, run_id, made, kind, folder, properties)
        return folder

    def run(self, run_id: str, version: str = "") -> dict[str, Path]:
        found = {
            "examples": self.add(run_id, outputs.EXAMPLES, "Examples"),
            "report": self.add(run_id, outputs.INGEST_REPORT, "IngestReport"),
            "model": self.add(run_id, MODEL, "Model"),
            "verdict": self.add(run_id, outputs.VERDICT, "GateVerdict"),
        }
        pushed = {"pushed": int(bool(version))}
        if version:
            place = self.pushes / version
            pushed |= {"pushed_version": version, "pushed_destination": str(place)}  # type: ignore[dict-item]
            place.mkdir(parents=True)
            (place / "saved_model.pb").touch()
        self.add(run_id, outputs.PUSHED_MODEL, "PushedModel", **pushed)
        return found


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Root:
    folders = tmp_path / "runs", tmp_path / "tmp"
    for folder in folders:
        folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folders[1]))
    return Root(folders[0])


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], root: Root) -> Any:
    """Runs `clean`; returns exit code, standard output and standard error."""

    def run(*words: str) -> tuple[int, str, str]:
        whole = ["transfer-pipeline", "clean", *words, "--root", str(root.folder)]
        monkeypatch.setattr(sys, "argv", whole)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


def test_without_yes_nothing_is_removed(clean: Any, root: Root) -> None:
    old, new = root.run("1"), root.run("2")
    code, out, _ = clean("--json")
    found = json.loads(out)
    assert code == 0 and found["removed"] == 0 and found["bytes"] == 2000
    assert {row["path"] for row in found["found"]} == {str(old["examples"]), str(old["model"])}
    assert all(path.is_dir() for path in (*old.values(), *new.values()))


def test_with_yes_the_listed_goes_and_records_stay(clean: Any, root: Root) -> None:
    old, new = root.run("1"), root.run("2")
    code, out, _ = clean("--yes")
    assert code == 0 and "2 of 2 folders were removed" in out
    assert not old["examples"].exists() and not old["model"].exists()
    assert old["report"].is_dir() and old["verdict"].is_dir()
    assert all(path.is_dir() for path in new.values())
    assert (root.folder / "metadata.sqlite").is_file()
    assert "0 folders" in clean()[1]


def test_what_the_push_directory_holds_keeps_its_run(clean: Any, root: Root) -> None:
    held, gone = root.run("1", version="1"), root.run("2", version="2")
    newest_push, _ = root.run("3", version="3"), root.run("4")
    (root.pushes / "2" / "saved_model.pb").unlink()
    (root.pushes / "2").rmdir()
    assert clean("--yes")[0] == 0
    assert held["model"].is_dir() and newest_push["model"].is_dir()
    assert not gone["model"].exists()
    assert (root.pushes / "1" / "saved_model.pb").is_file()


def test_where_the_push_directory_is_not_there_all_that_was_pushed_stays(
    clean: Any, root: Root
) -> None:
    pushed = [root.run(str(number), version=str(number)) for number in (1, 2, 3)]
    root.pushes.rename(root.pushes.with_name("elsewhere"))
    clean("--yes")
    assert all(made["model"].is_dir() for made in pushed)


def test_the_pictures_beside_a_report_that_the_next_ingest_built_on_go(
    clean: Any, root: Root
) -> None:
    old = root.run("1")
    root.run("2")
    root.add("2", outputs.INGEST_REPORT, "IngestReport", previous=str(old["report"]))
    clean("--yes")
    assert old["report"].is_dir() and not old["examples"].exists()


def test_the_last_judged_run_stays_where_the_newest_did_not_get_so_far(
    clean: Any, root: Root
) -> None:
    judged = root.run("1")
    root.add("2", outputs.EXAMPLES, "Examples")
    clean("--yes")
    assert judged["examples"].is_dir() and judged["model"].is_dir()


def test_what_lies_elsewhere_or_behind_a_link_is_never_touched(
    clean: Any, root: Root, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    made_metadata.execute(root.known, "1", MODEL, "Model", elsewhere)
    linked = root.run("2")["model"]
    (linked / "file").unlink()
    linked.rmdir()
    linked.symlink_to(elsewhere)
    root.run("3")
    clean("--yes")
    assert elsewhere.is_dir() and linked.is_symlink()


def test_states_of_killed_trainings_go_once_a_later_one_ended(clean: Any, root: Root) -> None:
    root.run("1")
    dead, alive = (root.folder / "fruit" / "Trainer" / ".unfinished" / name for name in "ab")
    for folder in (dead, alive):
        folder.mkdir(parents=True)
    os.utime(dead, (1e9, 1e9))
    os.utime(alive, (4e9, 4e9))
    clean("--yes")
    assert not dead.exists() and alive.is_dir()


def test_folders_of_killed_runs_go_and_those_of_live_ones_stay(
    clean: Any, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    root.run("1")
    left = Path(tempfile.gettempdir()) / "transfer-pipeline-run-0000"
    left.mkdir()
    left.with_name(f"{left.name}.lock").touch()
    assert str(left) in clean()[1] and left.is_dir()
    with scratch.folder() as live:
        left.mkdir(exist_ok=True)
        left.with_name(f"{left.name}.lock").touch()
        monkeypatch.setattr(tempfile, "tempdir", str(left.parent))
        clean("--yes")
        assert live.is_dir() and not left.exists()


def test_a_half_removed_folder_is_removed_by_the_next_call(clean: Any, root: Root) -> None:
    old, _ = root.run("1"), root.run("2")
    half = old["model"].rename(old["model"].with_name(f"{old['model'].name}.removed"))
    clean("--yes")
    assert not half.exists()


def test_a_root_in_use_and_what_is_no_root_are_refused(clean: Any, root: Root) -> None:
    old = root.run("1")
    root.run("2")
    with locked(root.folder):
        code, _, err = clean("--yes")
    assert code == 1 and "Another run uses" in err and old["model"].is_dir()
    (root.folder / "metadata.sqlite").unlink()
    code, _, err = clean("--yes")
    assert code == 2 and "no metadata.sqlite" in err


def test_a_node_whose_cached_output_went_runs_again(clean: Any, tmp_path: Path, root: Root) -> None:
    from pipeline import node_runner  # imports TFX
    from tests.pipeline import made_nodes

    connection = metadata.connection_config(str(root.folder / "metadata.sqlite"))
    compiled = made_nodes.compiled(str(root.folder / "two"), connection)

    def run(run_id: str) -> list[str]:
        bound = node_runner.bind(compiled, run_id)
        return [node_runner.run_node(bound, node) for node in ("Write", "Read")]

    assert [run("monday"), run("tuesday")] == [["ran", "ran"], ["cached", "cached"]]
    folder = root.folder / "two" / "Write" / "examples" / "1"
    assert _remove(Leftover(folder, "artifact", 0))
    assert run("wednesday") == ["ran", "ran"]
    again = json.loads(clean("--json")[1])
    assert [row["path"] for row in again["found"]] == [str(root.folder / "two/Read/model/2")]
