from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.image_example_gen.records import Value, example, framed

VALUES = st.dictionaries(
    st.text(max_size=200),
    st.one_of(
        st.binary(max_size=300),
        st.integers(0, 2**63 - 1),
        st.floats(width=32, allow_nan=False),
    ),
)


def read(serialized: bytes) -> dict[str, Value]:
    features = tf.train.Example.FromString(serialized).features.feature
    return {
        key: getattr(feature, feature.WhichOneof("kind")).value[0]
        for key, feature in features.items()
    }


@given(VALUES)
def test_tensorflow_reads_the_example_that_was_written(values: dict[str, Value]) -> None:
    assert read(example(values)) == values


def test_tensorflows_own_parser_reads_it_too() -> None:
    parsed = tf.io.parse_single_example(
        example({"a": b"x", "b": 300, "c": 0.5}),
        {
            "a": tf.io.FixedLenFeature([], tf.string),
            "b": tf.io.FixedLenFeature([], tf.int64),
            "c": tf.io.FixedLenFeature([], tf.float32),
        },
    )
    assert [parsed[key].numpy() for key in "abc"] == [b"x", 300, 0.5]


@pytest.mark.parametrize("records", [[b""], [b"one", b"two" * 100_000]])
def test_tensorflow_reads_the_records_and_their_checksums(
    tmp_path: Path, records: list[bytes]
) -> None:
    path = tmp_path / "a.tfrecord"
    path.write_bytes(b"".join(map(framed, records)))
    assert list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator()) == records
