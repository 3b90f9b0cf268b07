from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from components.artifacts.features import SPLITS
from components.image_example_gen.reading import Ledger, read
from components.image_example_gen.sources import SourceFile
from components.image_example_gen.splits import split_of
from components.settings.data import Data

LABELS = ["cats", "dogs"]
DATA = Data(source="/x")


def source_file(path: Path) -> SourceFile:
    return SourceFile(str(path), f"cats/{path.name}", "cats", 1, 1)


def test_a_picture_is_accepted_with_its_checksum_and_split(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (7, 5), "red").save(path)
    accepted, row = read(source_file(path), DATA)
    assert accepted is not None
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert (accepted.sha256, accepted.split) == (sha256, split_of(sha256, DATA.splits))
    assert accepted.picture.encoded == path.read_bytes()
    assert row == {
        "file": "cats/a.png",
        "label": "cats",
        "split": accepted.split,
        "sha256": sha256,
        "difference_hash": "0" * 80,
    }


def test_a_picture_that_is_not_canonical_is_made_so_and_keeps_the_checksum_of_its_file(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.tiff"
    Image.new("RGB", (7, 5), "red").save(path)
    accepted, _ = read(source_file(path), DATA)
    assert accepted is not None
    assert accepted.picture.format == "png"
    assert accepted.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "empty file"), (b"hello", "not a picture"), (None, "can't be read: No such file")],
)
def test_a_file_that_is_no_picture_is_rejected_with_the_reason(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "a.png"
    if content is not None:
        path.write_bytes(content)
    accepted, row = read(source_file(path), DATA)
    assert accepted is None
    assert (row["file"], row["label"]) == ("cats/a.png", "cats")
    assert row["reason"].startswith(reason)
    assert "split" not in row


def test_the_configured_number_of_pixels_is_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("L", (10, 10)).save(path)
    assert read(source_file(path), Data(source="/x", max_pixels=100))[0]
    accepted, row = read(source_file(path), Data(source="/x", max_pixels=99))
    assert accepted is None
    assert row["reason"].startswith("too many pixels")


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    path = tmp_path / "locked.png"
    Image.new("L", (10, 10)).save(path)
    path.chmod(0)
    return path


def test_a_file_without_permission_is_rejected(locked: Path, nobody: None) -> None:
    assert "Permission denied" in read(source_file(locked), DATA)[1]["reason"]


def test_the_split_of_a_file_that_can_not_be_read_is_known_where_its_content_does_not_decide(
    tmp_path: Path,
) -> None:
    gone = source_file(tmp_path / "gone.png")
    files = [gone, replace(gone, split="test"), replace(gone, group="p7")]
    rows = [read(file, DATA)[1] for file in files]
    decided = split_of("p7", DATA.splits)
    assert [row.get("split") for row in rows] == [None, "test", decided]
    assert Ledger.of(rows).rejected_by_split == {"undecided": 1, "test": 1, decided: 1}


FILES = st.lists(
    st.tuples(
        st.sampled_from(LABELS),
        st.one_of(
            st.builds(
                dict,
                split=st.sampled_from(SPLITS),
                sha256=st.sampled_from("abcdef"),
                difference_hash=st.just("0" * 16),
            ),
            st.builds(dict, reason=st.text(min_size=1, max_size=5)),
        ),
    )
)
ROWS = FILES.map(
    lambda files: [
        {"file": f"{label}/{number}", "label": label, **fate}
        for number, (label, fate) in enumerate(files)
    ]
)


@given(ROWS)
def test_every_file_is_accepted_or_rejected_and_the_counts_add_up(
    rows: list[dict[str, str]],
) -> None:
    ledger = Ledger.of(rows)
    assert len(ledger.accepted) + len(ledger.rejected) == len(rows)
    counts = ledger.counts(LABELS)
    assert list(counts) == list(SPLITS)
    assert all(list(by_class) == LABELS for by_class in counts.values())
    assert sum(sum(by_class.values()) for by_class in counts.values()) == len(ledger.accepted)


def test_rows_are_sorted_by_file_whatever_order_they_came_in() -> None:
    rows = [{"file": name, "label": "cats", "reason": "empty file"} for name in "cab"]
    assert [row["file"] for row in Ledger.of(rows).rejected] == ["a", "b", "c"]


def test_pictures_that_can_not_stay_beside_others_are_told_apart_from_unreadable_ones() -> None:
    good = {"split": "train", "sha256": "x", "difference_hash": "0" * 16}
    rows = [
        {"file": "cats/1", "label": "cats", **good},
        {"file": "dogs/1", "label": "dogs", **good},
        {"file": "cats/2", "label": "cats", "reason": "empty file"},
    ]
    ledger = Ledger.of(rows)
    assert ledger.accepted == []
    assert [row["file"] for row in ledger.rejected] == ["cats/1", "cats/2", "dogs/1"]
    assert all(set(row) == {"file", "label", "reason"} for row in ledger.rejected)
    assert ledger.withdrawn == {"cats/1", "dogs/1"}
