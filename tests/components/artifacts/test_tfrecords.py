from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf

from components.artifacts.tfrecords import framed


@pytest.mark.parametrize("records", [[b""], [b"one", b"two" * 100_000]])
def test_tensorflow_reads_the_records_and_their_checksums(
    tmp_path: Path, records: list[bytes]
) -> None:
    path = tmp_path / "a.tfrecord"
    path.write_bytes(b"".join(map(framed, records)))
    assert list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator()) == records
