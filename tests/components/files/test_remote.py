from __future__ import annotations

from collections.abc import Iterator

import pytest

from components import files as file_systems
from components import packed
from components.errors import ConfigError, DataError
from components.files.beam import BeamFiles
from components.files.entries import Entry
from tests.components.image_example_gen.memory_files import MemoryFiles
from tests.explains import refused


@pytest.fixture(autouse=True)
def files() -> Iterator[dict[str, bytes]]:
    MemoryFiles.clear()
    yield MemoryFiles.content
    MemoryFiles.clear()


def test_everything_is_answered_from_one_listing(files: dict[str, bytes]) -> None:
    files.update({"mem://b/p/cats/1.png": b"1", "mem://b/p/cats/x/2.png": b"22", "mem://b/q": b""})
    MemoryFiles.times.update(dict.fromkeys(files, 2.5))
    place = file_systems.view("mem://b/p")
    assert place.names("mem://b/p/cats") == ["1.png", "x"]
    assert place.is_folder("mem://b/p") and not place.is_folder("mem://b/none")
    assert place.entry("mem://b/p/cats/none") is None
    tree = place.tree("mem://b/p")
    assert tree.folders == ["cats", "cats/x"]
    assert tree.files == [
        Entry("mem://b/p/cats/1.png", "cats/1.png", 1, 2_500_000_000),
        Entry("mem://b/p/cats/x/2.png", "cats/x/2.png", 2, 2_500_000_000),
    ]
    assert sum(MemoryFiles.listed.values()) == 1


@pytest.mark.parametrize("few", [8, 100_000])
def test_of_many_files_those_below_a_folder_are_found(
    files: dict[str, bytes], few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "_FEW", few)
    monkeypatch.setattr(packed, "_BLOCK", 4)
    days = [f"{month:02}/{day:02}" for month in (9, 1, 5) for day in range(1, 8)]
    for day in days:
        files |= {f"mem://b/p/{day}{more}/{at}.png": b"1" for more in ("", "-x") for at in range(3)}
    place = file_systems.view("mem://b/p")
    assert place.names("mem://b/p") == ["01", "05", "09"]
    assert place.names("mem://b/p/09/07") == ["0.png", "1.png", "2.png"]
    assert all(place.is_folder(f"mem://b/p/{day}") for day in days)
    assert not any(place.is_folder(f"mem://b/p/{name}") for name in ("00", "05/0", "05/07/0.png"))
    assert place.entry("mem://b/p/05/03/1.png") and not place.entry("mem://b/p/05/03")
    names = [file.name for file in place.tree("mem://b/p/05").files]
    assert sorted(names) == sorted(
        f"{day:02}{more}/{at}.png" for day in range(1, 8) for more in ("", "-x") for at in range(3)
    )


def test_a_file_that_is_listed_twice_is_one(
    files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    files |= {f"mem://b/cats/{at}.png": b"1" for at in range(3)}
    below = BeamFiles.below
    monkeypatch.setattr(BeamFiles, "below", lambda *of: [*below(*of), *below(*of)])
    tree = file_systems.view("mem://b").tree("mem://b")
    assert [file.name for file in tree.files] == [f"cats/{at}.png" for at in range(3)]


def test_without_times_the_checksum_tells_a_change(files: dict[str, bytes]) -> None:
    files["mem://b/1.png"] = b"one"
    before = file_systems.view("mem://b").entry("mem://b/1.png")
    files["mem://b/1.png"] = b"two"
    after = file_systems.view("mem://b").entry("mem://b/1.png")
    assert before and after and before.size == after.size
    assert before.modified != after.modified


def test_hidden_folders_and_folder_markers_are_left_out(files: dict[str, bytes]) -> None:
    for name in ("cats/", ".cache/1.png", "cats/__MACOSX/1.png", "cats/.1.png"):
        files[f"mem://b/{name}"] = b""
    tree = file_systems.view("mem://b/").tree("mem://b/")
    assert (tree.folders, [file.name for file in tree.files]) == (["cats"], ["cats/.1.png"])


def test_folders_that_list_their_direct_children_are_gone_down_once_each(
    files: dict[str, bytes],
) -> None:
    for name in ("cats/1.png", "cats/x/2.png", "cats/empty.png", "dogs/3.png"):
        files[f"memfolders://b/{name}"] = b"" if "empty" in name else b"1"
    tree = file_systems.view("memfolders://b").tree("memfolders://b")
    names = {file.name for file in tree.files}
    assert names == {"cats/1.png", "cats/x/2.png", "cats/empty.png", "dogs/3.png"}
    folders = [f"memfolders://b{path}" for path in ("", "/cats", "/cats/x", "/dogs")]
    assert [MemoryFiles.listed[folder] for folder in folders] == [1, 1, 1, 1]


def test_a_file_is_read_and_its_faults_are_os_errors(files: dict[str, bytes]) -> None:
    files["mem://b/1.gz"] = b"\x1f\x8b as it is"
    assert file_systems.read_bytes("mem://b/1.gz") == b"\x1f\x8b as it is"
    with pytest.raises(OSError, match="no mem://b/2"):
        file_systems.read_bytes("mem://b/2")
    MemoryFiles.broken.add("mem://b/1.gz")
    with pytest.raises(OSError, match="connection lost"):
        file_systems.read_bytes("mem://b/1.gz")


def test_a_file_is_written(files: dict[str, bytes]) -> None:
    file_systems.write_bytes("mem://b/new", b"content")
    assert files["mem://b/new"] == b"content"


def test_a_place_that_cannot_be_listed_is_named_with_the_reason() -> None:
    with refused(
        DataError,
        found="mem://secret can't be listed",
        allowed="who are you",
        next="Check the path and its access",
    ):
        file_systems.view("mem://secret")


def test_a_scheme_that_nobody_knows_is_a_fault_of_the_configuration() -> None:
    with refused(
        ConfigError,
        found="nowhere://",
        allowed="No file system is installed",
        next="Install",
    ):
        file_systems.view("nowhere://b")


def test_the_oldest_files_are_removed_where_ages_are_known(files: dict[str, bytes]) -> None:
    for number in range(5):
        files[f"mem://b/kept/{number}"] = b""
    file_systems.keep_newest("mem://b/kept", 2)
    assert len(files) == 5
    MemoryFiles.times.update({path: 9.0 - number for number, path in enumerate(sorted(files))})
    file_systems.keep_newest("mem://b/kept", 2)
    assert sorted(files) == ["mem://b/kept/0", "mem://b/kept/1"]
    file_systems.keep_newest("mem://secret", 2)  # can't be listed


def test_folders_that_systems_make_are_left_out_and_their_files_counted(
    files: dict[str, bytes],
) -> None:
    for name in ("cats/1.png", "cats/@eaDir/1.png/THUMB.jpg", "lost+found/1", "lost+found/a/2"):
        files[f"mem://b/{name}"] = b"x"
    tree = file_systems.view("mem://b").tree("mem://b")
    assert [file.name for file in tree.files] == ["cats/1.png"]
    assert tree.folders == ["cats"]
    assert tree.system == {"cats/@eaDir": 1, "lost+found": 2}
