from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest

from components.fit.training_data import bottleneck_batches
from components.settings.training import Training
from components.trainer.input import read_data
from components.tuner.bottlenecks import Bottlenecks, read_bottlenecks
from tests.components.tuner import made_features
from tests.components.tuner.made_features import CLASSES, SIZE

Batches = list[tuple[np.ndarray, np.ndarray]]


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return made_features.write(tmp_path / "bottlenecks", train=10, validation=5)


@pytest.fixture
def data(uri: str, tmp_path: Path) -> Bottlenecks:
    return read_bottlenecks(uri, (SIZE,), CLASSES, Training(batch_size=4, seed=7), tmp_path)


def listed(dataset: object) -> Batches:
    return list(dataset.as_numpy_iterator())  # type: ignore[attr-defined]


def same(left: Batches, right: Batches) -> bool:
    return len(left) == len(right) and all(
        np.array_equal(a, b)
        for one, other in zip(left, right, strict=True)
        for a, b in zip(one, other, strict=True)
    )


def test_they_are_what_was_written(data: Bottlenecks) -> None:
    assert (data.shape, data.classes, data.data.steps) == ((SIZE,), 3, 3)
    np.testing.assert_array_equal(data.train.arrays[0], made_features.rows(10, seed=0))
    found = [CLASSES[index] for index in data.validation.labels.argmax(axis=1)]
    assert found == made_features.labels(5)
    assert data.train.labels.sum() == 10


def test_every_epoch_comes_as_the_trainer_would_read_it(data: Bottlenecks, uri: str) -> None:
    to_batches = functools.partial(bottleneck_batches, shape=(SIZE,), classes=CLASSES, batch_size=4)
    trainer = read_data(f"{uri}/Split-train", f"{uri}/Split-eval", to_batches, 4, 7, 100)
    assert same(listed(data.data.epochs(0, 2)), listed(trainer.epochs(0, 2)))
    assert same(listed(data.data.validation), listed(trainer.validation))


def test_rare_classes_weigh_more(data: Bottlenecks) -> None:
    weights = data.class_weights()  # of 4, 3 and 3 pictures
    assert [weights[index] for index in range(3)] == pytest.approx([10 / 12, 10 / 9, 10 / 9])


def test_a_class_is_counted_by_its_label_however_improbable_that_is(tmp_path: Path) -> None:
    uri = made_features.write(tmp_path / "doubtful", train=10, validation=5, probability=0.2)
    data = read_bottlenecks(uri, (SIZE,), CLASSES, Training(batch_size=4), tmp_path)
    weights = data.class_weights()
    assert [weights[index] for index in range(3)] == pytest.approx([10 / 12, 10 / 9, 10 / 9])
