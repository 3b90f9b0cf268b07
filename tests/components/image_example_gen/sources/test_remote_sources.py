"""Sources on a file system that only Beam knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.image_example_gen.reading import read
from components.image_example_gen.sources import content, scan
from components.settings.data import Data
from pipeline.commands.check import check
from tests import made_pictures
from tests.components.image_example_gen.memory_files import MemoryFiles


@pytest.fixture
def pictures(tmp_path: Path) -> Iterator[Path]:
    """Pictures here and, with the same names, at mem://b/pictures."""
    MemoryFiles.clear()
    made_pictures.make(tmp_path, 4)
    for path in tmp_path.glob("*/*"):
        MemoryFiles.content[f"mem://b/pictures/{path.relative_to(tmp_path)}"] = path.read_bytes()
    yield tmp_path
    MemoryFiles.clear()


def listed() -> int:
    return sum(MemoryFiles.listed.values())


@pytest.mark.parametrize("source", ["mem://b/pictures", "mem://b/pictures/"])
def test_a_remote_folder_is_read_like_a_local_one_and_listed_once(
    pictures: Path, source: str
) -> None:
    remote, local = scan(Data(source=source)), scan(Data(source=str(pictures)))
    assert listed() == 1
    assert [file.name for file in remote.files] == [file.name for file in local.files]
    assert remote.classes == local.classes
    for there, here in zip(remote.files, local.files, strict=True):
        assert read(there, Data(source="/x"))[1] == read(here, Data(source="/x"))[1]
    assert listed() == 1


def test_a_replaced_file_of_the_same_size_changes_the_fingerprint(pictures: Path) -> None:
    data = Data(source="mem://b/pictures")
    before = scan(data).fingerprint()
    path = "mem://b/pictures/red/000.png"
    MemoryFiles.content[path] = bytes(len(MemoryFiles.content[path]))
    assert scan(data).fingerprint() != before


def test_a_manifest_s_pictures_are_listed_once(pictures: Path) -> None:
    rows = [f"{path.relative_to(pictures)},{path.parent.name}" for path in pictures.glob("*/*")]
    text = "\n".join(["path,label", *rows, "gone.png,red"])
    MemoryFiles.content["mem://b/pictures/m.csv"] = text.encode()
    listing = scan(Data(source="mem://b/pictures/m.csv"))
    assert (len(listing.files), listed()) == (13, 1)
    sizes = {file.name: file.size for file in listing.files}
    assert sizes.pop("gone.png") == 0 and all(sizes.values())
    row = read(next(file for file in listing.files if file.name == "gone.png"), Data(source="/x"))
    assert row[1]["reason"].startswith("can't be read: no mem://b/pictures/gone.png")


def test_a_local_manifest_may_name_remote_pictures(pictures: Path) -> None:
    paths = sorted(MemoryFiles.content)
    rows = "".join(f"{path},{path.split('/')[-2]}\n" for path in paths)
    (pictures / "m.csv").write_text(f"path,label\n{rows}")
    listing = scan(Data(source=str(pictures / "m.csv")))
    assert [file.path for file in listing.files] == paths
    assert all(file.size for file in listing.files)
    assert listed() == 1


def test_spans_and_their_pictures_come_from_one_listing(pictures: Path) -> None:
    for number in (1, 2, 3):
        for path in pictures.glob("*/*"):
            name = f"mem://b/spans/{number}/{path.relative_to(pictures)}"
            MemoryFiles.content[name] = path.read_bytes()
    listing = scan(Data(source="mem://b/spans/{SPAN}", window=2))
    assert {file.name[0] for file in listing.files} == {"2", "3"}
    assert listed() == 1


def test_check_reads_a_remote_source(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    MemoryFiles.content["mem://b/pictures/red/empty.png"] = b""
    check(Data(source="mem://b/pictures"), as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert (found["accepted"], len(found["rejected"])) == (12, 1)
    assert listed() == 1


def test_a_picture_is_read_through_beam(pictures: Path) -> None:
    file = scan(Data(source="mem://b/pictures")).files[0]
    assert content(file) == (pictures / file.name).read_bytes()
