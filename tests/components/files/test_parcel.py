"""What all workers need travels as one file, once to each process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.files import parcel
from tests import s3_server
from tests.s3_server import BUCKET, Server


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    yield from s3_server.serving(monkeypatch)


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    """A file, and a folder with an empty one inside."""
    (tmp_path / "model" / "assets").mkdir(parents=True)
    (tmp_path / "model" / "saved_model.pb").write_bytes(b"graph")
    (tmp_path / "a b.weights.h5").write_bytes(b"weights")
    return {"model": str(tmp_path / "model"), "weights.h5": str(tmp_path / "a b.weights.h5")}


def check(folder: str) -> None:
    assert Path(folder, "model", "saved_model.pb").read_bytes() == b"graph"
    assert Path(folder, "model", "assets").is_dir()
    assert Path(folder, "weights.h5").read_bytes() == b"weights"


def test_a_parcel_is_unpacked_once_and_can_be_removed_then(
    places: dict[str, str], tmp_path: Path
) -> None:
    made = parcel.pack(places, str(tmp_path))
    folder = parcel.unpacked(made)
    check(folder)
    parcel.remove(made)
    assert not Path(made).exists()
    assert parcel.unpacked(made) == folder  # it is not read again


def test_files_of_1970_are_packed_too(places: dict[str, str], tmp_path: Path) -> None:
    """As a reproducible image of a container has them."""
    os.utime(places["weights.h5"], (0, 0))
    check(parcel.unpacked(parcel.pack(places, str(tmp_path))))


def test_two_parcels_in_one_folder_are_two(places: dict[str, str], tmp_path: Path) -> None:
    first, second = (parcel.pack(places, str(tmp_path)) for _ in range(2))
    assert first != second and parcel.unpacked(first) != parcel.unpacked(second)


def test_a_parcel_travels_through_an_object_store(places: dict[str, str], server: Server) -> None:
    made = parcel.pack(places, f"s3://{BUCKET}/runs/BottleneckGen/bottlenecks/7")
    check(parcel.unpacked(made))
    parcel.remove(made)
    assert server.objects() == set()
