from __future__ import annotations

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.artifacts.examples import Example, Value, serialized

VALUES = st.dictionaries(
    st.text(max_size=200),
    st.one_of(
        st.binary(max_size=300),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(width=32, allow_nan=False),
    ),
)


def read(example: bytes) -> dict[str, Value]:
    features = tf.train.Example.FromString(example).features.feature
    return {
        key: getattr(feature, feature.WhichOneof("kind")).value[0]
        for key, feature in features.items()
    }


@given(VALUES)
def test_tensorflow_reads_the_example_that_was_written(values: dict[str, Value]) -> None:
    assert read(serialized(values)) == values


def test_tensorflows_own_parser_reads_it_too() -> None:
    parsed = tf.io.parse_single_example(
        serialized({"a": b"x", "b": 300, "c": 0.5}),
        {
            "a": tf.io.FixedLenFeature([], tf.string),
            "b": tf.io.FixedLenFeature([], tf.int64),
            "c": tf.io.FixedLenFeature([], tf.float32),
        },
    )
    assert [parsed[key].numpy() for key in "abc"] == [b"x", 300, 0.5]


@given(VALUES)
def test_what_tensorflow_wrote_is_read(values: dict[str, Value]) -> None:
    example = tf.train.Example()
    for key, value in values.items():
        feature = example.features.feature[key]
        if isinstance(value, bytes):
            feature.bytes_list.value.extend([value, b"second"])
        elif isinstance(value, float):
            feature.float_list.value.append(value)
        else:
            feature.int64_list.value.append(value)
    expected = [value if isinstance(value, bytes) else b"" for value in values.values()]
    found = Example(example.SerializeToString())
    assert [found.encoded(key) for key in values] == expected


def test_a_feature_that_is_not_there_is_empty() -> None:
    found = Example(serialized({"a": b"x", "n": 7}))
    assert [found.encoded("b"), found.encoded("a")] == [b"", b"x"]
    assert (found.number("n"), found.number("a"), found.text("a"), found.text("n")) == (
        7,
        0,
        "x",
        "",
    )
    assert Example(b"").encoded("a") == b""


@pytest.mark.parametrize("damaged", [b"no Example", serialized({"a": b"x" * 99})[:-1]])
def test_what_is_no_example_is_told(damaged: bytes) -> None:
    with pytest.raises(ValueError):
        Example(damaged)
