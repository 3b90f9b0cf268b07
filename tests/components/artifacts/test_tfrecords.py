from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf

from components.artifacts import tfrecords
from components.artifacts.tfrecords import framed


@pytest.mark.parametrize("records", [[b""], [b"one", b"two" * 100_000]])
def test_tensorflow_reads_the_records_and_their_checksums(
    tmp_path: Path, records: list[bytes]
) -> None:
    path = tmp_path / "a.tfrecord"
    path.write_bytes(b"".join(map(framed, records)))
    assert list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator()) == records


def test_records_are_read_without_tensorflow_as_it_wrote_them(tmp_path: Path) -> None:
    content = [b"one", b"", b"three" * 1000]
    path = tmp_path / "a.tfrecord"
    tfrecords.write(str(path), content)
    with path.open("rb") as file:
        found = list(tfrecords.records(file))
    assert [record.data for record in found] == content
    lengths = [(record.offset, len(record.data)) for record in found]
    assert lengths == tfrecords.positions(str(path))
    assert tfrecords.count(str(tmp_path)) == 3
    assert list(tfrecords.read_records(str(tmp_path)).as_numpy_iterator()) == content


@pytest.mark.parametrize("end", [1, 5, 14])
def test_a_file_that_is_cut_off_is_told_with_the_place(tmp_path: Path, end: int) -> None:
    path = tmp_path / "a.tfrecord"
    path.write_bytes(framed(b"one") + framed(b"two")[:end])
    with path.open("rb") as file, pytest.raises(tfrecords.Damaged, match="at byte 31"):
        list(tfrecords.records(file))
