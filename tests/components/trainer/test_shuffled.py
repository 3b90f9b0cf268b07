from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from components.trainer.shuffled import shuffled_records

RECORDS = [b"", *(bytes([number]) * number * 1000 for number in range(1, 30))]


def write(folder: Path) -> str:
    """Writes the records to two files, of which the first holds ten."""
    for name, records in {"a": RECORDS[:10], "b": RECORDS[10:]}.items():
        with tf.io.TFRecordWriter(str(folder / name)) as writer:
            for record in records:
                writer.write(record)
    return str(folder)


def epoch(dataset: tf.data.Dataset) -> list[bytes]:
    return list(dataset.as_numpy_iterator())


def test_every_record_comes_once_as_it_was_written(tmp_path: Path) -> None:
    assert sorted(epoch(shuffled_records(write(tmp_path), seed=0))) == sorted(RECORDS)


def test_records_of_all_files_are_mixed(tmp_path: Path) -> None:
    first_ten = epoch(shuffled_records(write(tmp_path), seed=0))[:10]
    assert 0 < len(set(first_ten) & set(RECORDS[:10])) < 10


def test_the_order_follows_the_seed_and_changes_with_each_epoch(tmp_path: Path) -> None:
    folder = write(tmp_path)

    def two_epochs(seed: int) -> list[list[bytes]]:
        dataset = shuffled_records(folder, seed)
        return [epoch(dataset), epoch(dataset)]

    assert two_epochs(1) == two_epochs(1)
    assert two_epochs(1) != two_epochs(2)
    first, second = two_epochs(1)
    assert first != second


def test_a_split_without_records_gives_none(tmp_path: Path) -> None:
    assert epoch(shuffled_records(str(tmp_path), seed=0)) == []
