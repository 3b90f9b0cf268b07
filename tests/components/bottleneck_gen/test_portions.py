from __future__ import annotations

from pathlib import Path

import pytest

from components.artifacts import tfrecords
from components.bottleneck_gen import portions as module
from components.bottleneck_gen.portions import portions


def split_of(folder: Path, *shards: int) -> list[bytes]:
    """Writes files with so many records each, of different lengths; returns all records."""
    folder.mkdir()
    records = [bytes([65 + number % 26]) * (1 + number % 7) for number in range(sum(shards))]
    left = iter(records)
    for number, count in enumerate(shards):
        tfrecords.write(str(folder / f"part-{number}"), [next(left) for _ in range(count)])
    return records


@pytest.mark.parametrize("shards", [(700,), (300, 400), (0, 20), (1,)])
def test_portions_hold_every_record_once_in_order(tmp_path: Path, shards: tuple[int, ...]) -> None:
    records = split_of(tmp_path / "split", *shards)
    found = portions(str(tmp_path / "split"), "out/bottlenecks")
    batches = [batch for portion in found for batch in portion.batches()]
    assert [record for batch in batches for record in batch] == records
    assert max(map(len, batches)) <= module.BATCH
    assert all(sum(map(len, each.batches())) == each.records for each in found)


def test_one_file_of_the_ingest_is_spread_over_several_workers(tmp_path: Path) -> None:
    split_of(tmp_path / "split", 700)
    found = portions(str(tmp_path / "split"), "out/bottlenecks")
    assert [portion.records for portion in found] == [256, 256, 188]
    assert [portion.target for portion in found] == [
        f"out/bottlenecks-0000{number}-of-00003.tfrecord" for number in range(3)
    ]


def test_an_empty_split_is_a_portion_without_records(tmp_path: Path) -> None:
    split_of(tmp_path / "split")
    [portion] = portions(str(tmp_path / "split"), "out/bottlenecks")
    assert list(portion.batches()) == []


@pytest.mark.parametrize(
    ("pictures", "size"), [(10, 256), (20_000, 320), (100_000, 1568), (10_000_000, 2048)]
)
def test_portions_are_whole_batches_and_grow_with_the_split(pictures: int, size: int) -> None:
    assert module._size(pictures) == size
