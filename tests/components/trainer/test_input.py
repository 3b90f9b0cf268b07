from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components import features
from components.trainer.input import (
    bottleneck_batches,
    class_index,
    count_classes,
    picture_batches,
)
from components.transform_graph import PARSE_PICTURE, Pixels, read_records

CLASSES = ["blue", "green", "red"]
COUNT = 20


@pytest.fixture(scope="module")
def bottlenecks(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A split of 20 pictures with two features each; the first one is the picture's number."""
    folder = tmp_path_factory.mktemp("Split-train")
    with tf.io.TFRecordWriter(str(folder / "bottlenecks-0.tfrecord")) as writer:
        for number in range(COUNT):
            label = CLASSES[number % 3].encode()
            feature = {
                features.BOTTLENECK: tf.train.Feature(
                    float_list=tf.train.FloatList(value=[number, -number])
                ),
                features.LABEL: tf.train.Feature(bytes_list=tf.train.BytesList(value=[label])),
            }
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())
    return str(folder)


def numbers(dataset: tf.data.Dataset) -> list[int]:
    """The pictures' numbers in the order of one epoch."""
    return [int(row[0]) for rows, _ in dataset.as_numpy_iterator() for row in rows]


def test_a_class_has_the_index_of_its_place_in_the_class_list() -> None:
    labels = tf.constant(["red", "blue", "green", "red"])
    assert class_index(labels, CLASSES).numpy().tolist() == [2, 0, 1, 2]
    assert class_index(labels, ["red", "green", "blue"]).numpy().tolist() == [0, 2, 1, 0]
    assert class_index(tf.constant(["Käse", "10"]), ["10", "9", "Käse"]).numpy().tolist() == [2, 0]


def test_every_picture_comes_once_with_its_class(bottlenecks: str) -> None:
    batches = list(bottleneck_batches(bottlenecks, 2, CLASSES, 8, seed=1).as_numpy_iterator())
    assert [len(rows) for rows, _ in batches] == [8, 8, 4]
    rows = np.concatenate([rows for rows, _ in batches])
    indices = np.concatenate([indices for _, indices in batches])
    assert (rows.dtype, indices.dtype) == (np.float32, np.int64)
    assert sorted(rows[:, 0]) == list(range(COUNT))
    np.testing.assert_array_equal(rows[:, 1], -rows[:, 0])
    np.testing.assert_array_equal(indices, rows[:, 0] % 3)


def test_the_same_seed_gives_the_same_order_in_every_epoch(bottlenecks: str) -> None:
    def epochs(seed: int) -> list[list[int]]:
        dataset = bottleneck_batches(bottlenecks, 2, CLASSES, 8, seed)
        return [numbers(dataset) for _ in range(2)]

    assert epochs(1) == epochs(1)
    assert epochs(1) != epochs(2)
    first, second = epochs(1)
    assert first != second  # shuffled anew


def test_without_a_seed_the_order_is_kept(bottlenecks: str) -> None:
    assert numbers(bottleneck_batches(bottlenecks, 2, CLASSES, 8, None)) == list(range(COUNT))


def test_bottlenecks_of_another_width_are_an_error(bottlenecks: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError):
        numbers(bottleneck_batches(bottlenecks, 3, CLASSES, 8, None))


def test_pictures_come_as_the_transform_graph_gives_them(pixels: Pixels, split: str) -> None:
    dataset = picture_batches(split, pixels, CLASSES, 24, None)
    ((pictures, indices),) = dataset.as_numpy_iterator()
    (records,) = read_records(split).batch(24)
    parsed = tf.io.parse_example(records, PARSE_PICTURE)
    assert (pictures.shape, pictures.dtype) == ((24, 32, 32, 3), np.float32)
    np.testing.assert_allclose(pictures, pixels(parsed[features.ENCODED]), atol=1e-6)
    labels = [CLASSES[index].encode() for index in indices]
    assert labels == parsed[features.LABEL].numpy().tolist()


def test_pictures_are_shuffled_by_the_seed_too(pixels: Pixels, split: str) -> None:
    def order(seed: int | None) -> list[float]:
        ((pictures, _),) = picture_batches(split, pixels, CLASSES, 24, seed).as_numpy_iterator()
        return pictures.mean(axis=(1, 2, 3)).tolist()

    assert order(1) == order(1)
    assert order(1) != order(None)
    assert sorted(order(1)) == pytest.approx(sorted(order(None)))


def test_the_pictures_of_each_class_are_counted(split: str, bottlenecks: str) -> None:
    assert count_classes(split) == {"blue": 8, "green": 8, "red": 8}
    assert count_classes(bottlenecks) == {"blue": 7, "green": 7, "red": 6}


def test_several_files_are_read_in_the_order_of_their_names(
    bottlenecks: str, tmp_path: Path
) -> None:
    (content,) = [path.read_bytes() for path in Path(bottlenecks).iterdir()]
    for name in ("b-00001.tfrecord", "a-00000.tfrecord"):
        (tmp_path / name).write_bytes(content)
    assert numbers(bottleneck_batches(str(tmp_path), 2, CLASSES, 8, None)) == 2 * [*range(COUNT)]
