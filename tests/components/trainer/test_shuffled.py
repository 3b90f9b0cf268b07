from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

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


def epoch(folder: str, seed: int = 0, number: int = 0) -> list[bytes]:
    return list(ShuffledRecords(folder, seed).order(number).as_numpy_iterator())


def test_every_record_comes_once_as_it_was_written(tmp_path: Path) -> None:
    assert sorted(epoch(write(tmp_path))) == sorted(RECORDS)
    assert len(ShuffledRecords(str(tmp_path), 0)) == len(RECORDS)


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
