"""The command `check` on folders as people have them."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from rich.console import Console

from pipeline import cli
from pipeline.commands import check
from serving.picture_formats import SUFFIXES
from tests.serving.photographs import photograph
from tests.serving.samples import encode, exif, half_transparent, png


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of 30 small pictures."""
    random = np.random.default_rng(0)
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for number in range(30):
            noise = random.integers(0, 256, (32, 32, 3), np.uint8)
            Image.fromarray(noise).save(tmp_path / label / f"{number}.png")
    return tmp_path


Checked = Any


@pytest.fixture
def checked(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Checked:
    """Runs the command on the folder; returns what programs read, the notes as one text."""

    def check(*assignments: str) -> tuple[dict[str, Any], str]:
        words = [word for one in assignments for word in ("--set", one)]
        words = ["transfer-pipeline", "check", "--data", str(folder), "--json", *words]
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert not ended.value.code
        found = json.loads(capsys.readouterr().out)
        return found, "\n".join(found["notes"])

    return check


def test_of_many_classes_the_table_has_the_ten_smallest_and_counts_the_rest() -> None:
    classes = [f"c{number:02}" for number in range(14)]
    sizes = {name: 5 + (7 * at) % 14 for at, name in enumerate(classes)}
    report = {"counts": {"train": sizes, "test": sizes}, "rejected_by_class": {"c13": 2}}
    out = io.StringIO()
    Console(file=out, width=80).print(check._table(report, classes))
    small = sorted(classes, key=sizes.__getitem__)
    assert all(name in out.getvalue() for name in small[:10])
    assert not any(name in out.getvalue() for name in small[10:])
    assert "4 larger ones" in out.getvalue() and str(sum(sizes.values())) in out.getvalue()


def test_files_of_a_nas_are_counted_and_no_class(folder: Path, checked: Checked) -> None:
    for number in range(30):
        place = folder / "cat" / "@eaDir" / f"{number}.png"
        place.mkdir(parents=True)
        (place / "SYNOPHOTO_THUMB_M.jpg").write_bytes(encode(photograph(12, 12), "JPEG"))
    (folder / "@eaDir").mkdir()
    (folder / "@eaDir" / "x.jpg").write_bytes(encode(photograph(12, 12), "JPEG"))
    found, notes = checked()
    assert (found["accepted"], found["ignored"], found["rejected"]) == (60, 31, [])
    assert set(found["counts"]["train"]) == {"cat", "dog"}
    assert "31 files in @eaDir, cat/@eaDir not read" in notes


def test_pictures_in_formats_that_are_not_read_are_named(folder: Path, checked: Checked) -> None:
    for number in range(40):
        (folder / "cat" / f"IMG_{number}.JXL").write_bytes(b"\xff\x0a" + bytes(50))
    found, notes = checked()
    assert found["ignored"] == 40
    assert "not read: 40 .jxl (.jxl is JPEG XL)" in notes
    assert "Most of class 'cat' (40 of 70 files) was not read." in notes


def test_heic_and_avif_are_read_or_named(folder: Path, checked: Checked) -> None:
    for number in range(40):
        content = b"\0\0\0\x18ftypheic" + bytes(50)
        (folder / "cat" / f"IMG_{number}.HEIC").write_bytes(content)
    for number in range(3):
        content = b"\0\0\0\x1cftypavif" + bytes(50)
        (folder / "dog" / f"{number}.avif").write_bytes(content)
    found, notes = checked("data.max_rejected_fraction=1.0")
    assert "not read: 40 .heic, 3 .avif" in notes
    for suffix, count in ((".heic", 40), (".avif", 3)):
        lost = [row for row in found["rejected"] if row["file"].lower().endswith(suffix)]
        assert len(lost) == (count if suffix in SUFFIXES else 0)
    assert "Most of class 'cat'" in notes


def test_a_png_with_much_text_is_accepted(folder: Path, checked: Checked) -> None:
    info = PngInfo()
    info.add_text("workflow", "x" * 2_000_000, zip=True)
    Image.new("RGB", (64, 64), "red").save(folder / "cat" / "text.png", pnginfo=info)
    assert checked()[0]["accepted"] == 61


def test_what_was_encoded_anew_is_counted(folder: Path, checked: Checked) -> None:
    turned = encode(photograph(), "JPEG", exif=exif(6))
    cut = encode(photograph(300, 300), "JPEG")
    for name, content in {
        "turned.jpg": turned,
        "clear.png": png(half_transparent()),
        "cut.jpg": cut[: len(cut) // 2] + b"\xff\xd9",
        "odd.jpg": cut[:-2] + b"what may this be for?\xff\xd9",
    }.items():
        (folder / "cat" / name).write_bytes(content)
    found, notes = checked("data.max_rejected_fraction=0.1", "image.background=black")
    assert [(row["file"], row["reason"].partition(":")[0]) for row in found["rejected"]] == [
        ("cat/cut.jpg", "truncated or damaged")
    ]
    assert sorted(found["encoded_anew"].values()) == [1, 1, 1]
    assert "1 picture is transparent: laid over #000000 (image.background)." in notes
    assert "1 picture is damaged" in notes and "cat/odd.jpg" in notes


def test_16_bit_that_would_be_black_is_noticed_and_the_setting_helps(
    folder: Path, checked: Checked
) -> None:
    random = np.random.default_rng(0)
    for number in range(30):
        values = random.integers(20, 4000, (32, 32)).astype(np.uint16)
        Image.fromarray(values).save(folder / "cat" / f"{number}.png")
    found, notes = checked()
    assert "30 pictures are of 16 bit" in notes and "[0, 4095]" in notes
    assert found["pictures"]["range"] == "type"
    found, notes = checked("image.range=data")
    low, high = found["pictures"]["range"]
    assert 20 <= low < 40 and 3900 < high < 4000 and "became black to white" in notes
    assert checked("image.range=[0, 4095]")[0]["pictures"]["range"] == [0, 4095]


def test_a_large_file_that_is_no_picture_is_not_read_whole(folder: Path, checked: Checked) -> None:
    with open(folder / "cat" / "film.jpg", "wb") as file:
        file.write(b"\0\0\0\x18ftypmp42")
        file.truncate(3 * 2**30)  # takes no room, but would take the memory
    found, _ = checked("data.max_rejected_fraction=0.1")
    [row] = found["rejected"]
    assert row["reason"] == "not a picture: a video"
