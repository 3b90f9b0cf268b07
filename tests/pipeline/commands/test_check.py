from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from components.artifacts.features import SPLITS
from components.errors import ConfigError, DataError
from components.settings.data import Data
from pipeline.commands.check import check
from tests import made_pictures
from tests.explains import refused


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = made_pictures.make(tmp_path / "pictures", 12)
    (folder / "red" / "broken.png").write_bytes(b"nothing")
    (folder / "red" / "empty.jpg").touch()
    (folder / "red" / "notes.txt").touch()
    return folder


def checked(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    check(Data(source=str(folder)), as_json=True)
    return json.loads(capsys.readouterr().out)


def test_programs_read_the_keys_of_the_contract(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = checked(folder, capsys)
    assert set(found) >= {"accepted", "rejected", "ignored", "counts"}
    assert (found["accepted"], found["ignored"]) == (36, 1)
    assert [row["file"] for row in found["rejected"]] == ["red/broken.png", "red/empty.jpg"]
    assert all(set(row) == {"file", "label", "reason"} for row in found["rejected"])
    assert found["rejected"][1]["reason"] == "empty file"


def test_counts_are_by_split_and_class_and_add_up(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = checked(folder, capsys)["counts"]
    assert list(counts) == list(SPLITS)
    assert all(list(by_class) == ["blue", "green", "red"] for by_class in counts.values())
    for label in ("blue", "green", "red"):
        assert sum(by_class[label] for by_class in counts.values()) == 12


def test_people_read_a_table_and_every_rejected_file_with_its_reason(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check(Data(source=str(folder)), as_json=False)
    shown = capsys.readouterr().out
    assert "rejected  red/broken.png: not a picture" in shown
    assert "rejected  red/empty.jpg: empty file" in shown
    counted = "36 accepted, 2 rejected (1 not a picture, 1 empty file), 1 ignored"
    *_, before, last = shown.splitlines()
    assert before == counted
    assert last.startswith("A run would stop here: 2 of 38 pictures")
    row = next(line for line in shown.splitlines() if " red " in line)
    assert row.replace("│", " ").split()[-1] == "2"
    assert all(word in shown for word in [*SPLITS, "blue", "green", "red"])


def test_what_a_run_would_refuse_at_once_is_refused_here(tmp_path: Path) -> None:
    with refused(
        ConfigError,
        found="no folder .*none",
        allowed="one folder of pictures per class",
        next="Name a",
    ):
        check(Data(source=str(tmp_path / "none")), as_json=True)
    with refused(DataError, found="has no class folders", allowed="<class>/<picture>", next="Put"):
        check(Data(source=str(tmp_path)), as_json=True)


def test_what_was_cut_out_of_train_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made_pictures.make(tmp_path / "train", 12)
    made_pictures.make(tmp_path / "test", 3, seed=1)
    note = "The source gives no eval split: cut out of train."
    check(Data(source=str(tmp_path)), as_json=False)
    assert note in capsys.readouterr().out
    check(Data(source=str(tmp_path)), as_json=True)
    said = capsys.readouterr()
    assert note in said.err
    assert json.loads(said.out)["counts"]["test"] == {"blue": 3, "green": 3, "red": 3}


def test_the_settings_of_a_run_decide_what_is_rejected(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check(Data(source=str(folder), max_pixels=40 * 43), as_json=True)
    found = json.loads(capsys.readouterr().out)
    reasons = [row["reason"] for row in found["rejected"]]
    assert sum(reason.startswith("too many pixels") for reason in reasons) == 12


def test_why_a_run_would_stop_is_said_to_people_and_programs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strict, lax = (Data(source=str(folder), max_rejected_fraction=most) for most in (0.0, 0.5))
    assert not check(strict, as_json=True)
    said = capsys.readouterr()
    assert "A run would stop here: 2 of 38 pictures can't be used" in said.err
    assert json.loads(said.out)["would_stop"].startswith("2 of 38 pictures can't be used")
    assert not check(strict, as_json=False)
    assert "A run would stop here: 2 of 38" in capsys.readouterr().out
    assert check(lax, as_json=True)
    assert json.loads(capsys.readouterr().out)["would_stop"] is None


def test_one_picture_under_two_labels_is_rejected_as_a_run_would(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "blue" / "again.png").write_bytes((folder / "red" / "000.png").read_bytes())
    rejected = {row["file"]: row["reason"] for row in checked(folder, capsys)["rejected"]}
    assert set(rejected) >= {"blue/again.png", "red/000.png"}
    assert "two labels" in rejected["red/000.png"]


def test_pictures_like_another_are_told_to_people_and_programs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(folder)
    made_pictures.make(folder / "train", 3)
    made_pictures.make(folder / "test", 3, seed=1)
    made_pictures.make(folder / "val", 3, seed=2)
    red = folder / "train" / "red" / "000.png"
    shutil.copy(red, red.with_name("again.png"))
    Image.open(red).save(folder / "test" / "red" / "other.bmp")
    found = checked(folder, capsys)
    assert found["duplicates"]["listed"] == [
        {"file": "train/red/again.png", "like": "train/red/000.png"}
    ]
    [near] = found["near_duplicates"]["listed"]
    assert (near["file"], near["like_split"]) == ("test/red/other.bmp", "train")
    check(Data(source=str(folder)), as_json=False)
    shown = capsys.readouterr().out
    assert "duplicate  train/red/again.png is like train/red/000.png" in shown
    assert "near-duplicate  test/red/other.bmp is like train/red/000.png" in shown
    assert "1 pictures repeat one of their class and split." in shown
    assert "1 held-out pictures look like one of another split." in shown
