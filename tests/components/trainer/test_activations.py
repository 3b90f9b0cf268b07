from __future__ import annotations

import gc
import weakref
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.artifacts.record_counts import RecordsLost
from components.fit.training_data import Kept, kept_data
from components.trainer.activations import keep
from tests.explains import refused

PICTURES = 10


def batches() -> tf.data.Dataset:
    """[2, 3, 1] pixels that are all different, and the picture's number as its label."""
    pixels = np.arange(PICTURES * 6, dtype=np.float32).reshape(PICTURES, 2, 3, 1)
    labels = np.eye(PICTURES, dtype=np.float32)
    return tf.data.Dataset.from_tensor_slices((pixels, labels)).batch(4)


def bottom() -> keras.Model:
    inputs = keras.Input([2, 3, 1])
    return keras.Model(inputs, keras.layers.Identity()(inputs))


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    found = keep(bottom(), bottom(), batches(), PICTURES, tmp_path, "train", [[], [1], [2], [1, 2]])
    assert found is not None
    return found


def test_each_variant_is_the_flipped_picture_under_its_own_label(kept: Kept) -> None:
    [array] = kept.arrays
    plain, upside_down, mirrored, turned = array.reshape(4, PICTURES, 2, 3, 1)
    np.testing.assert_array_equal(plain[3], np.arange(18, 24).reshape(2, 3, 1))
    np.testing.assert_array_equal(upside_down, plain[:, ::-1])
    np.testing.assert_array_equal(mirrored, plain[:, :, ::-1])
    np.testing.assert_array_equal(turned, plain[:, ::-1, ::-1])
    np.testing.assert_array_equal(kept.labels, np.tile(np.eye(PICTURES), (4, 1)))


def test_a_lost_picture_does_not_put_flips_beside_the_pictures_of_others(tmp_path: Path) -> None:
    with refused(
        RecordsLost,
        found="20 instead of 22 pictures of train",
        allowed="runner does this .*--runner=FnApiRunner does not",
        next="mend that and run again",
    ):
        keep(bottom(), bottom(), batches(), PICTURES + 1, tmp_path, "train", [[], [1]])


def test_each_epoch_draws_one_variant_of_every_picture_anew(kept: Kept) -> None:
    data = kept_data(kept, kept, 4, seed=0, variants=4)
    [rows] = kept.arrays

    def drawn(first: int, last: int) -> list[tuple[int, int]]:
        seen = []
        for pixels, labels in data.epochs(first, last):
            for picture, label in zip(pixels.numpy(), labels.numpy(), strict=True):
                [row] = np.flatnonzero((rows == picture).all((1, 2, 3)))
                assert row % PICTURES == label.argmax()
                seen.append((row % PICTURES, row // PICTURES))
        return seen

    epochs = [drawn(epoch, epoch + 1) for epoch in range(3)]
    assert data.steps == 3
    for epoch in epochs:
        assert sorted(picture for picture, _ in epoch) == list(range(PICTURES))
    assert len({tuple(sorted(epoch)) for epoch in epochs}) == 3
    assert {variant for epoch in epochs for _, variant in epoch} == {0, 1, 2, 3}
    assert drawn(0, 3) == sum(epochs, [])  # a resumed training draws the same


def test_what_epochs_read_goes_with_their_data() -> None:
    """TensorFlow keeps each function that its graphs call, and with it what that holds."""
    kept = Kept([np.zeros((8, 1), np.float32)], np.eye(8, dtype=np.float32))
    gone = weakref.ref(kept)
    data = kept_data(kept, kept, 4, seed=0)
    del kept
    gc.collect()
    assert len([*data.epochs(0, 1)]) == len([*data.validation]) == 2
    del data
    gc.collect()
    assert gone() is None
