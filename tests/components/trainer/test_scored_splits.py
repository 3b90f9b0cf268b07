from __future__ import annotations

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.artifacts import features
from components.artifacts.examples import PICTURE, parse, serialized
from components.artifacts.record_counts import RecordsLost
from components.artifacts.tfrecords import read_records
from components.model.network import Network, build_network
from components.model.transform_graph import Pixels
from components.settings.export import Certain, Served
from components.settings.model import Head
from components.trainer.history import History
from components.trainer.scored_splits import fitted_scoring
from components.trainer.training_inputs import TrainingInputs
from components.trainer.training_loop import Fitted
from tests.components.trainer import made_training
from tests.explains import refused

CERTAIN = Served(certain=Certain(accuracy=0.5))
ROW = {"phase": "frozen", "epoch": 1, "val_loss": 1.0}


def network(head: Head) -> Network:
    keras.utils.set_random_seed(3)
    inputs = keras.Input((32, 32, 3))
    base = keras.Model(inputs, keras.layers.Conv2D(8, 3, strides=4, activation="relu")(inputs))
    made = build_network(base, head, 3)
    kernel, bias = made.head.get_layer("scores").get_weights()
    made.head.get_layer("scores").set_weights([20 * kernel, bias])  # over-confident
    return made


@pytest.fixture
def given(pixels: Pixels, split: str) -> TrainingInputs:
    cached = {**made_training.FROZEN, "features": "cached"}
    return made_training.inputs(pixels, split, frozen=cached)


def write_bottlenecks(made: Network, given: TrainingInputs, folder: Path) -> str:
    """Writes what BottleneckGen would."""
    for split in (features.TRAIN, features.EVAL):
        (folder / f"Split-{split}").mkdir(parents=True)
        path = str(folder / f"Split-{split}" / "bottlenecks.tfrecord")
        with tf.io.TFRecordWriter(path) as writer:
            for record in read_records(given.train):
                parsed = parse(record[tf.newaxis], *PICTURE)
                found = made.extractor(given.pixels(parsed[features.ENCODED])).numpy()
                label = parsed[features.LABEL].numpy()[0]
                values = {features.BOTTLENECK: found.ravel().tolist(), features.LABEL: label}
                writer.write(serialized(values))
    return str(folder)


def test_records_lost_before_the_calibration_are_an_error(given: TrainingInputs) -> None:
    fitted = Fitted(network(Head()), History(best_epoch=ROW))
    more = dataclasses.replace(given, counts={features.EVAL: 25})
    with refused(
        RecordsLost,
        found="24 instead of 25 records of .*: 1 were lost",
        allowed="instead of 25",
        next="mend that and run again",
    ):
        fitted_scoring(fitted, more, Served())


@pytest.mark.parametrize("head", [Head(), Head(squeeze_excitation=8), Head(pooling="flatten")])
def test_cached_features_and_pictures_lead_to_the_same_scoring(
    given: TrainingInputs, tmp_path: Path, head: Head
) -> None:
    made = network(head)
    fitted = Fitted(made, History(best_epoch=ROW))
    of_pictures, facts = fitted_scoring(fitted, given, CERTAIN)
    cached = dataclasses.replace(
        given, bottlenecks=write_bottlenecks(made, given, tmp_path / "bottlenecks")
    )
    of_features, same = fitted_scoring(fitted, cached, CERTAIN)
    assert facts["temperature"] > 1
    assert facts["eval"]["after"]["log_loss"] < facts["eval"]["before"]["log_loss"]
    assert facts["temperature"] == pytest.approx(same["temperature"], rel=1e-3)
    assert of_pictures.certainty is not None and of_features.certainty is not None
    np.testing.assert_allclose(
        of_pictures.certainty.most_distance, of_features.certainty.most_distance, rtol=0.02
    )


def test_features_cached_for_a_base_that_was_changed_since_are_not_read(
    given: TrainingInputs, tmp_path: Path
) -> None:
    unfrozen = Fitted(network(Head()), History(best_epoch={**ROW, "phase": "unfrozen"}))
    absent = dataclasses.replace(given, bottlenecks=str(tmp_path / "of the frozen base"))
    assert fitted_scoring(unfrozen, absent, Served())[1]["eval"]["pictures"] > 0


def test_flips_are_scored_as_they_are_served(given: TrainingInputs, tmp_path: Path) -> None:
    made = network(Head())
    fitted = Fitted(made, History(best_epoch=ROW))
    absent = dataclasses.replace(given, bottlenecks=str(tmp_path / "without flips"))
    flipped = Served(average_flips=["horizontal", "vertical"])
    before = fitted_scoring(fitted, given, Served())[1]["eval"]["before"]["log_loss"]
    assert fitted_scoring(fitted, absent, flipped)[1]["eval"]["before"]["log_loss"] != before


def test_nothing_is_changed_where_nothing_is_asked_for(given: TrainingInputs) -> None:
    fitted = Fitted(network(Head()), History(best_epoch=ROW))
    scoring, facts = fitted_scoring(fitted, given, Served(calibrate=False))
    assert scoring.temperature == 1 and scoring.certainty is None and facts["certain"] is None
