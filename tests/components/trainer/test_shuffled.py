from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.artifacts import tfrecords
from components.fit.seeds import shuffled
from components.trainer.shuffled import ShuffledRecords

RECORDS = [b"", *(bytes([number]) * number * 1000 for number in range(1, 30))]


def write(folder: Path) -> str:
    """Writes the records to two files, of which the first holds ten."""
    for name, records in {"a": RECORDS[:10], "b": RECORDS[10:]}.items():
        with tf.io.TFRecordWriter(str(folder / name)) as writer:
            for record in records:
                writer.write(record)
    return str(folder)


def epoch(folder: str, seed: int = 0, number: int = 0, window: int = 100) -> list[bytes]:
    return list(ShuffledRecords(folder, seed, window).order(number).as_numpy_iterator())


def test_every_record_comes_once_as_it_was_written(tmp_path: Path) -> None:
    assert sorted(epoch(write(tmp_path))) == sorted(RECORDS)
    assert len(ShuffledRecords(str(tmp_path), 0, 100)) == len(RECORDS)


def test_records_of_all_files_are_mixed(tmp_path: Path) -> None:
    first_ten = epoch(write(tmp_path))[:10]
    assert 0 < len(set(first_ten) & set(RECORDS[:10])) < 10


def test_the_order_follows_from_seed_and_epoch_alone(tmp_path: Path) -> None:
    folder = write(tmp_path)
    assert epoch(folder, 1, 7) == epoch(folder, 1, 7)
    assert epoch(folder, 1, 7) != epoch(folder, 1, 8)
    assert epoch(folder, 1, 7) != epoch(folder, 2, 7)


def test_rows_of_any_shape_are_put_in_the_same_order() -> None:
    numbers = np.arange(50)
    rows = np.stack([numbers, numbers], axis=1)
    np.testing.assert_array_equal(shuffled(rows, 3, 1)[:, 1], shuffled(numbers, 3, 1))


def test_a_split_without_records_gives_none(tmp_path: Path) -> None:
    assert epoch(str(tmp_path)) == []


def numbered(folder: Path, files: int, each: int) -> str:
    """Writes files whose records are their own numbers."""
    folder.mkdir()
    for file in range(files):
        with (folder / f"{file:05}").open("wb") as opened:
            for record in range(file * each, (file + 1) * each):
                opened.write(tfrecords.framed(b"%d" % record))
    return str(folder)


def test_a_larger_split_is_mixed_in_windows_of_files_drawn_anew_in_each_epoch(
    tmp_path: Path,
) -> None:
    folder = numbered(tmp_path / "split", files=6, each=10)
    epochs = [[int(record) for record in epoch(folder, 5, number, 20)] for number in (0, 1, 0)]
    assert epochs[0] == epochs[2] != epochs[1]
    together = set()
    for order in epochs:
        assert sorted(order) == list(range(60))
        for start in (0, 20, 40):
            window = order[start : start + 20]
            files = {record // 10 for record in window}
            assert len(files) == 2
            together.add(frozenset(files))
            # Not one file after the other, and not as they were written.
            assert len({record // 10 for record in window[:10]}) == 2
    assert len(together) > 3


def test_a_split_of_one_window_is_mixed_as_a_whole(tmp_path: Path) -> None:
    folder = numbered(tmp_path / "split", files=6, each=10)
    expected = shuffled(np.arange(60), 5, 2).numpy().tolist()
    assert [int(record) for record in epoch(folder, 5, 2, 60)] == expected


def test_records_that_come_or_go_while_training_are_an_error(tmp_path: Path) -> None:
    folder = numbered(tmp_path / "split", files=3, each=4)
    records = ShuffledRecords(folder, 0, 4)
    (Path(folder) / "00001").write_bytes(tfrecords.framed(b"alone"))
    with pytest.raises(tf.errors.OpError, match="9 instead of 12 records of .*split"):
        list(records.order(0))


def test_memory_does_not_grow_with_the_records(tmp_path: Path) -> None:
    records = ShuffledRecords(numbered(tmp_path / "split", files=200, each=1000), 0, 4000)
    tracemalloc.start()
    rows = sum(len(some) for some in records.rows(0).batch(1000).as_numpy_iterator())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == 200_000
    assert peak < 1_600_000  # a quarter of what the positions of all take: four numbers each
