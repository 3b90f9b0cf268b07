"""The command `check` on small classes, bursts, and folders that are nested in another way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from components.errors import DataError
from components.settings.data import Data
from pipeline.commands.check import check
from tests.explains import refused


def noise(folder: Path, count: int, seed: int = 0, side: int = 8) -> None:
    """Writes pictures of noise, each different."""
    folder.mkdir(parents=True)
    random = np.random.default_rng([seed, *folder.name.encode()])
    for number in range(count):
        pixels = random.integers(0, 256, (side, side, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")


def bursts(root: Path, scenes: int = 8, frames: int = 8) -> Path:
    """Writes scenes of which each frame is turned a little further."""
    for label in ("cat", "dog"):
        (root / label).mkdir(parents=True)
        for scene in range(scenes):
            random = np.random.default_rng([scene, *label.encode()])
            blobs = Image.fromarray(random.integers(0, 256, (12, 12), np.uint8))
            whole = blobs.resize((320, 320), Image.Resampling.BICUBIC)
            for frame in range(frames):
                turned = whole.rotate(frame * 0.3, resample=Image.Resampling.BICUBIC)
                name = f"scene{scene:02}_frame{frame}.jpg"
                turned.crop((10, 10, 310, 310)).save(root / label / name, quality=90)
    return root


def checked(capsys: pytest.CaptureFixture[str], **data: Any) -> tuple[dict[str, Any], str]:
    """Returns the JSON for programs, and the notes."""
    check(Data(**data), as_json=True)
    shown = capsys.readouterr()
    return json.loads(shown.out), shown.err


@pytest.mark.slow
def test_of_twenty_draws_of_ten_classes_of_thirty_none_would_stop_and_each_is_cut_as_wanted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in range(20):
        for number in range(10):
            noise(tmp_path / str(seed) / f"class{number}", 30, seed)
        found, said = checked(capsys, source=str(tmp_path / str(seed)))
        assert "would stop" not in said
        for split, pictures in {"train": 24, "eval": 3, "test": 3}.items():
            assert set(found["counts"][split].values()) == {pictures}


def test_forty_classes_of_1_to_127_pictures_are_told_in_a_few_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = {f"c{number:02}": 1 + number * number // 12 for number in range(40)}
    for name, size in sizes.items():
        noise(tmp_path / name, size, side=4)
    found, said = checked(capsys, source=str(tmp_path))
    assert "would stop" not in said
    small = [name for name, size in sizes.items() if size < 3]
    for name in sizes:
        there = [found["counts"][split][name] for split in ("train", "eval", "test")]
        assert (min(there[1:]) == 0) == (name in small)
    assert "Too small to be split" in said and "c00 (1)" in said
    assert len([line for line in said.splitlines() if "Too small" in line]) == 2
    left_out, _ = checked(capsys, source=str(tmp_path), small_classes="leave_out")
    assert set(left_out["counts"]["train"]) == sizes.keys() - set(small)


def test_a_new_class_of_four_is_told_as_too_small_to_be_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for week in (1, 2):
        for name in ("cat", "dog"):
            noise(tmp_path / f"week-{week}" / name, 40, week)
    noise(tmp_path / "week-2" / "bird", 4)
    found, said = checked(capsys, source=str(tmp_path / "week-{SPAN}"), window=2)
    assert [found["counts"][split]["bird"] for split in ("train", "eval", "test")] == [2, 1, 1]
    assert "Too small to be judged" in said and "bird (1 of 4)" in said


def test_bursts_are_told_with_their_share_and_kept_together_where_it_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = str(bursts(tmp_path / "pictures"))
    found, said = checked(capsys, source=source)
    assert found["near_duplicates"]["in_test"] >= 6
    assert f"{found['near_duplicates']['in_test']} of 14 test pictures look like one of" in said
    assert "data.group_by=^(.+?)" in said
    assert all(row["bits"] <= 20 for row in found["near_duplicates"]["listed"])
    found, said = checked(capsys, source=source, group_by="near_duplicates")
    assert found["near_duplicates"]["count"] == 0
    for split in ("eval", "test"):
        assert set(found["counts"][split].values()) == {8}  # one whole scene of each class
    assert "test pictures look like" not in said


def test_people_read_how_far_a_pair_is_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check(Data(source=str(bursts(tmp_path / "pictures"))), as_json=False)
    shown = capsys.readouterr().out
    assert "of 256 bits apart)" in shown


def test_splits_in_the_class_folders_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("cat", "dog"):
        for split in ("train", "test"):
            noise(tmp_path / name / split, 20, seed=len(name + split) + (name == "cat"))
    found, said = checked(capsys, source=str(tmp_path))
    assert found["counts"]["test"] == {"cat": 20, "dog": 20}
    assert found["counts"]["eval"] == {"cat": 2, "dog": 2}
    assert "The class folders hold test, train: read as splits." in said


def test_the_folder_above_the_data_set_is_refused_with_the_folder_to_name(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        noise(tmp_path / "dataset" / name, 5)
    with refused(
        DataError,
        found="has a single class, 'dataset'; .*the folders cat, dog",
        allowed="a classifier needs two",
        next=rf"if those are the classes \(or splits\), name {tmp_path}/dataset\.",
    ):
        check(Data(source=str(tmp_path)), as_json=True)
