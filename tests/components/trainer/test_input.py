from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.artifacts import features, tfrecords
from components.artifacts.examples import PICTURE, parse
from components.artifacts.tfrecords import read_records
from components.fit.class_weights import count_classes
from components.fit.training_data import Data, Kept, bottleneck_batches, kept_data, one_hot
from components.model.transform_graph import Pixels
from components.trainer.input import picture_batches, read_data

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


def to_batches(examples: tf.data.Dataset, batch_size: int = 8) -> tf.data.Dataset:
    return bottleneck_batches(examples, (2,), CLASSES, batch_size)


def numbers(dataset: tf.data.Dataset) -> list[int]:
    """The pictures' numbers in their order."""
    return [int(row[0]) for rows, _ in dataset.as_numpy_iterator() for row in rows]


def data(folder: str, seed: int) -> Data:
    return read_data(folder, folder, to_batches, 8, seed, 100)


def test_a_class_has_the_index_of_its_place_in_the_class_list() -> None:
    def index(labels: list[str], classes: list[str]) -> list[int]:
        return one_hot(tf.constant(labels), classes).numpy().argmax(axis=1).tolist()

    labels = ["red", "blue", "green", "red"]
    assert index(labels, CLASSES) == [2, 0, 1, 2]
    assert index(labels, ["red", "green", "blue"]) == [0, 2, 1, 0]
    assert index(["Käse", "10"], ["10", "9", "Käse"]) == [2, 0]


def test_every_picture_comes_once_per_epoch_with_its_class(bottlenecks: str) -> None:
    read = data(bottlenecks, seed=1)
    batches = list(read.epochs(0, 1).as_numpy_iterator())
    assert read.steps == 3
    assert [len(rows) for rows, _ in batches] == [8, 8, 4]
    rows = np.concatenate([rows for rows, _ in batches])
    labels = np.concatenate([labels for _, labels in batches])
    assert (rows.dtype, labels.dtype) == (np.float32, np.float32)
    assert sorted(rows[:, 0]) == list(range(COUNT))
    np.testing.assert_array_equal(rows[:, 1], -rows[:, 0])
    np.testing.assert_array_equal(labels, np.eye(3)[rows[:, 0].astype(int) % 3])


def test_no_batch_reaches_from_one_epoch_into_the_next(bottlenecks: str) -> None:
    sizes = [len(rows) for rows, _ in data(bottlenecks, 1).epochs(0, 2).as_numpy_iterator()]
    assert sizes == [8, 8, 4, 8, 8, 4]


def test_epochs_begun_later_are_the_same_epochs(bottlenecks: str) -> None:
    read = data(bottlenecks, 1)
    whole = numbers(read.epochs(0, 3))
    assert numbers(read.epochs(1, 3)) == whole[COUNT:]
    assert whole[:COUNT] != whole[COUNT : 2 * COUNT]  # shuffled anew
    assert numbers(data(bottlenecks, 1).epochs(0, 3)) == whole
    assert numbers(data(bottlenecks, 2).epochs(0, 3)) != whole


# 20 pictures: of the last batch, which has 4, the worker with index 0 of eight has none.
@pytest.mark.parametrize("workers", [1, 2, 8])
@pytest.mark.parametrize("kept", [False, True])
def test_workers_read_their_parts_of_the_batches_and_no_others(
    bottlenecks: str, workers: int, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = data(bottlenecks, 1)
    if kept:
        rows = np.arange(COUNT)[:, np.newaxis].astype(np.float32)
        arrays = Kept([rows], np.eye(3, dtype=np.float32)[np.arange(COUNT) % 3])
        read = kept_data(arrays, arrays, 8, 1)
    asked: list[int] = []
    read_one = tfrecords.opened
    monkeypatch.setattr(tfrecords, "opened", lambda file: (asked.append(1), read_one(file))[1])
    assert read.dealt
    parts = [read.dealt(index, workers) for index in range(workers)]
    for whole, several in (
        (read.epochs(0, 2), [part.epochs(0, 2) for part in parts]),
        (read.validation, [part.validation for part in parts]),
    ):
        batches = list(whole.as_numpy_iterator())
        asked.clear()
        found = [list(part.as_numpy_iterator()) for part in several]
        if not kept and several[0] is not parts[0].validation:
            # Each record once, and once in each epoch of each worker for its position.
            assert len(asked) <= 2 * COUNT + 2 * workers
        assert all(len(part) == len(batches) for part in found)
        for number, (inputs, labels) in enumerate(batches):
            of_batch = [part[number] for part in found]
            assert {int(count) for count, *_ in of_batch} == {len(inputs)}
            np.testing.assert_array_equal(np.concatenate([x for _, x, _ in of_batch]), inputs)
            np.testing.assert_array_equal(np.concatenate([y for *_, y in of_batch]), labels)


def test_what_is_judged_keeps_its_order_and_tells_its_length(bottlenecks: str) -> None:
    validation = data(bottlenecks, 1).validation
    assert numbers(validation) == list(range(COUNT))
    assert validation.cardinality() == 3


def test_bottlenecks_of_another_width_are_an_error(bottlenecks: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError):
        numbers(bottleneck_batches(read_records(bottlenecks), (3,), CLASSES, 8))


def test_pictures_come_as_the_transform_graph_gives_them(pixels: Pixels, split: str) -> None:
    dataset = picture_batches(read_records(split), pixels, CLASSES, 24)
    ((pictures, labels),) = dataset.as_numpy_iterator()
    (records,) = read_records(split).batch(24)
    parsed = parse(records, *PICTURE)
    assert (pictures.shape, pictures.dtype) == ((24, 32, 32, 3), np.float32)
    np.testing.assert_allclose(pictures, pixels(parsed[features.ENCODED]), atol=1e-6)
    names = [CLASSES[index].encode() for index in labels.argmax(axis=1)]
    assert names == parsed[features.LABEL].numpy().tolist()


def test_the_pictures_of_each_class_are_counted(split: str, bottlenecks: str) -> None:
    assert count_classes(split) == {"blue": 8, "green": 8, "red": 8}
    assert count_classes(bottlenecks) == {"blue": 7, "green": 7, "red": 6}


def test_several_files_are_read_in_the_order_of_their_names(
    bottlenecks: str, tmp_path: Path
) -> None:
    (content,) = [path.read_bytes() for path in Path(bottlenecks).iterdir()]
    for name in ("b-00001.tfrecord", "a-00000.tfrecord"):
        (tmp_path / name).write_bytes(content)
    assert numbers(to_batches(read_records(str(tmp_path)))) == 2 * [*range(COUNT)]
