from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from components.artifacts import features, tfrecords
from components.artifacts.examples import Example, serialized
from components.artifacts.tfrecords import read_records
from components.model.transform_graph import Pixels
from components.settings.training import Frozen
from components.trainer import activations, phase_cache
from components.trainer.boundary import split_at
from components.trainer.part_cache import BesideKept
from components.trainer.starting_network import starting_network
from components.trainer.training_loop import Fitted
from tests.components.trainer.made_training import FROZEN, UNFROZEN, Epochs, Killed, inputs, train

FIGURES = ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")


def history(fitted: Fitted) -> list[tuple[Any, ...]]:
    return [tuple(row[key] for key in FIGURES) for row in fitted.history.epochs]


def equal(left: list[np.ndarray], right: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("whole")


@pytest.fixture(scope="module")
def whole(pixels: Pixels, split: str, work: Path) -> Fitted:
    """A training that nothing interrupted."""
    return train(inputs(pixels, split), work)


def test_the_activations_lie_in_the_work_folder_in_half_precision(
    whole: Fitted, work: Path
) -> None:
    folder = work / "work" / "activations"
    assert sorted(path.name for path in folder.iterdir()) == ["eval-0.npy", "train-0.npy"]
    array = np.load(folder / "train-0.npy")
    assert (array.shape, array.dtype) == ((24, 3, 3, 512), np.float16)


def test_both_phases_leave_their_epochs_and_what_they_gained(whole: Fitted) -> None:
    phases = [(row["phase"], row["epoch"]) for row in whole.history.epochs]
    assert phases == [*(("frozen", n) for n in (1, 2)), *(("unfrozen", n) for n in (1, 2, 3))]
    assert list(whole.history.gains()) == ["frozen", "unfrozen"]


def test_the_same_seed_gives_the_same_history_bit_for_bit(
    whole: Fitted, pixels: Pixels, split: str, tmp_path: Path
) -> None:
    again = train(inputs(pixels, split), tmp_path)
    assert history(again) == history(whole)
    assert equal(again.network.classifier.get_weights(), whole.network.classifier.get_weights())


@pytest.mark.parametrize(
    ("done", "epoch"),  # at the hand-over, within a phase, after all
    [(2, "2 of phase frozen"), (4, "2 of phase unfrozen"), (5, "3 of phase unfrozen")],
)
def test_a_training_killed_after_any_epoch_goes_on_and_reaches_the_same_result(
    whole: Fitted, pixels: Pixels, split: str, tmp_path: Path, done: int, epoch: str
) -> None:
    with pytest.raises(Killed):
        train(inputs(pixels, split), tmp_path, Epochs(kill_after=done))
    rest = Epochs()
    resumed = train(inputs(pixels, split), tmp_path, rest)
    assert rest.ended == 5 - done
    assert rest.notes == [f"resumes after epoch {epoch}"]
    assert history(resumed) == history(whole)
    assert equal(resumed.network.classifier.get_weights(), whole.network.classifier.get_weights())


def test_plateau_stopping_and_averages_survive_a_kill(
    pixels: Pixels, split: str, tmp_path: Path
) -> None:
    schedule = {"kind": "plateau", "patience": 1, "factor": 0.5}
    phase = {**FROZEN, "epochs": 5, "learning_rate": 0.5, "schedule": schedule, "ema": 0.5}
    given = inputs(pixels, split, frozen={**phase, "early_stopping": 3}, unfrozen={"epochs": 0})
    whole = train(given, tmp_path / "whole")
    rates = [row["learning_rate"] for row in whole.history.epochs]
    assert len(set(rates)) > 1, "the rate never fell: the test shows nothing"
    with pytest.raises(Killed):
        train(given, tmp_path / "killed", Epochs(kill_after=3))
    assert history(train(given, tmp_path / "killed")) == history(whole)


def test_cached_activations_train_as_the_pictures_do(
    whole: Fitted, pixels: Pixels, split: str, tmp_path: Path
) -> None:
    epochs = Epochs()
    pictures = train(inputs(pixels, split, cache_budget_mb=0), tmp_path, epochs)
    assert "0 are allowed (training.cache_budget_mb" in epochs.notes[0]
    assert not list((tmp_path / "work").rglob("*.npy"))
    # Half precision on disk: three digits, which five epochs carry further.
    losses, expected = (
        [(row["loss"], row["val_loss"]) for row in fitted.history.epochs]
        for fitted in (pictures, whole)
    )
    np.testing.assert_allclose(losses, expected, rtol=5e-2)
    left, right = (fitted.network.classifier.layers for fitted in (pictures, whole))
    assert [layer.name for layer in left] == [layer.name for layer in right]


_PICTURE = 2 * 3 * 3 * 512  # bytes of a picture's activations


def room_for(pictures: int, patched: pytest.MonkeyPatch) -> None:
    patched.setattr(activations, "room", lambda *_: pictures * _PICTURE)


# All of `eval` (24) and of the training pictures a few, or all but one: batches of 10 are met that
# have none of the one kind or none of the other.
@pytest.mark.parametrize("cached", [2, 23])
def test_without_room_for_all_a_part_is_cached_and_batches_have_the_same_pictures(
    cached: int, pixels: Pixels, split: str, tmp_path: Path
) -> None:
    given = inputs(pixels, split, augmentation={"vertical_flip": True})
    network = starting_network(given)
    bottom, _ = split_at(network.base, len(network.base.layers) - 12)
    size = activations.size_of(bottom, 1)

    def batches(pictures: int) -> tuple[list[Any], list[Any], bool]:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(activations, "room", lambda *_: pictures * size)
            folder = str(tmp_path / str(pictures))
            found = phase_cache.cached_activations(given, bottom, folder, folder)
        assert found is not None
        run = BesideKept(bottom) if found.is_part else lambda x: x
        train, judged = (
            [(np.asarray(run(x)), y.numpy()) for x, y in some]
            for some in (found.data.epochs(0, 2), found.data.validation)
        )
        return train, judged, found.is_part

    # Of a training picture there are two variants.
    part, part_judged, is_part = batches(24 + 2 * cached)
    whole, whole_judged, is_whole_part = batches(72)
    assert is_part and not is_whole_part
    array = np.load(tmp_path / str(24 + 2 * cached) / "activations" / "train-0.npy")
    assert len(array) == 2 * cached
    labels = [sorted(y.argmax(1).tolist()) for _, y in whole]
    assert [sorted(y.argmax(1).tolist()) for _, y in part] == labels
    for (x, y), (other, other_y) in zip(part_judged, whole_judged, strict=True):
        np.testing.assert_allclose(x, other, rtol=2e-2, atol=2e-2)
        np.testing.assert_array_equal(y, other_y)


def test_a_training_on_a_part_resumes_with_that_part_though_there_is_more_room(
    whole: Fitted, pixels: Pixels, split: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room_for(40, monkeypatch)
    epochs, given = Epochs(), inputs(pixels, split)
    part = train(given, tmp_path / "part", epochs)
    [note] = epochs.notes
    assert note.startswith(
        "caches the frozen layers' outputs of 16 of 24 training and 24 of 24 eval pictures; the "
        "others pass these layers in each epoch of phase unfrozen: all outputs take"
    )
    assert "training.cache_budget_mb" in note
    losses, expected = (
        [(row["loss"], row["val_loss"]) for row in fitted.history.epochs]
        for fitted in (part, whole)
    )
    # Dropout meets the pictures of a batch in another order.
    np.testing.assert_allclose(losses, expected, rtol=0.2)
    with pytest.raises(Killed):
        train(given, tmp_path / "killed", Epochs(kill_after=4))
    room_for(48, monkeypatch)
    assert history(train(given, tmp_path / "killed")) == history(part)


def test_only_the_named_layers_learn_and_no_statistics(
    whole: Fitted, pixels: Pixels, split: str, tmp_path: Path
) -> None:
    frozen = train(inputs(pixels, split, unfrozen={"epochs": 0}), tmp_path).network.base
    base = whole.network.base
    changed = [
        layer.name
        for layer, before in zip(base.layers, frozen.layers, strict=True)
        if not equal(layer.get_weights(), before.get_weights())
    ]
    assert changed == ["conv_dw_12", "conv_pw_12", "conv_dw_13", "conv_pw_13"]


def test_augmentation_changes_training_but_not_what_is_judged_or_exported(
    whole: Fitted, pixels: Pixels, split: str, tmp_path: Path
) -> None:
    given = inputs(pixels, split, augmentation={"rotation": 40, "horizontal_flip": True})
    augmented = train(given, tmp_path)
    assert history(augmented) != history(whole)
    again = train(given, tmp_path / "again")
    assert history(augmented) == history(again)
    names = [layer.name for layer in augmented.network.classifier.layers]
    assert names == [layer.name for layer in whole.network.classifier.layers]
    with Image.open(tmp_path / "logs" / "augmented.png") as sheet:
        assert sheet.size == (5 * 32, 6 * 32)


def test_flips_alone_are_cached_as_variants(pixels: Pixels, split: str, tmp_path: Path) -> None:
    flipped = {"horizontal_flip": True, "vertical_flip": True}
    given = inputs(pixels, split, augmentation=flipped)
    fitted = train(given, tmp_path)
    kept = np.load(tmp_path / "work" / "activations" / "train-0.npy")
    assert kept.shape == (4 * 24, 3, 3, 512)
    assert len(np.load(tmp_path / "work" / "activations" / "eval-0.npy")) == 24
    assert history(fitted) == history(train(given, tmp_path / "again"))


def test_flips_of_a_cached_phase_frozen_are_variants_beside_the_features_at_hand(
    pixels: Pixels, split: str, tmp_path: Path
) -> None:
    bottlenecks, cached = tmp_path / "bottlenecks", {**FROZEN, "features": "cached"}
    rows = np.random.default_rng(0).normal(size=(24, 1024)).astype(np.float32)
    for name in ("train", "eval"):
        (bottlenecks / f"Split-{name}").mkdir(parents=True)
        records = zip(rows.tolist(), read_records(split).as_numpy_iterator(), strict=True)
        tfrecords.write(
            str(bottlenecks / f"Split-{name}" / "data.tfrecord"),
            [
                serialized({features.BOTTLENECK: row, features.LABEL: label(record)})
                for row, record in records
            ],
        )
    given = dataclasses.replace(
        inputs(
            pixels,
            split,
            frozen={**cached, "augmentation": {"horizontal_flip": True}},
            unfrozen={"epochs": 0},
            precision="float32",
        ),
        bottlenecks=str(bottlenecks),
    )
    fitted = train(given, tmp_path)
    flipped = np.load(tmp_path / "work" / "flips" / "train-0.npy")
    shown = [
        given.pixels(tf.constant([Example(record).encoded(features.ENCODED)]))
        for record in read_records(split).as_numpy_iterator()
    ]
    expected = fitted.network.extractor(tf.reverse(tf.concat(shown, 0), [2])).numpy()
    np.testing.assert_allclose(flipped, expected, rtol=2e-3, atol=1e-3)
    assert history(fitted) == history(train(given, tmp_path / "again"))
    files = sum(path.stat().st_size for path in (tmp_path / "work" / "flips").iterdir())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(activations, "room", lambda *_: files - 1_000)
        epochs = Epochs()
        train(given, tmp_path / "no room", epochs)
    assert epochs.notes[0].startswith("runs the frozen layers anew in each epoch of phase frozen")
    plain = dataclasses.replace(
        given, training=given.training.model_copy(update={"frozen": Frozen(**cached)})
    )
    assert history(fitted) != history(train(plain, tmp_path / "plain"))


def label(record: bytes) -> bytes:
    return Example(record).encoded(features.LABEL)


def test_a_schedule_moves_the_rate(pixels: Pixels, split: str, tmp_path: Path) -> None:
    unfrozen = {**UNFROZEN, "schedule": {"kind": "cosine", "warmup_epochs": 1}, "layer_decay": 0.5}
    fitted = train(inputs(pixels, split, unfrozen=unfrozen), tmp_path)
    first, second, third = (row["learning_rate"] for row in fitted.history.of("unfrozen"))
    assert first == pytest.approx(1e-4)
    assert first > second > third
    assert third == pytest.approx(0, abs=1e-9)
