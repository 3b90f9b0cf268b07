from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from components.artifacts import features
from components.artifacts.examples import PICTURE, parse
from components.artifacts.tfrecords import read_records
from components.model.network import Network, build_network
from components.model.transform_graph import Pixels, first_pictures
from components.pretrained.base import build_base
from components.settings.export import Served
from components.settings.model import Head
from components.trainer.export import export
from components.trainer.feature_distance import FeatureDistance
from components.trainer.scoring import Certainty, Scoring
from serving.picture_settings import PictureSettings
from serving.saved_model_session import SavedModelSession

CLASSES = ["blau", "grün", "rot"]  # not ASCII, and in an order that scores do not follow


@pytest.fixture(scope="module")
def network() -> Network:
    """Answers with the mean of each colour."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((32, 32, 3))
    base = keras.Model(inputs, keras.layers.Dense(3, kernel_initializer="identity")(inputs))
    network = build_network(base, Head(), 3)
    network.head.set_weights([np.eye(3)[::-1].astype(np.float32), np.zeros(3, np.float32)])
    return network


@pytest.fixture(scope="module")
def model(network: Network) -> keras.Model:
    return network.classifier


@pytest.fixture(scope="module")
def exported(
    tmp_path_factory: pytest.TempPathFactory, network: Network, pixels: Pixels, split: str
) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "1"
    export(network, pixels, "mobilenet", CLASSES, first_pictures(split, 4), str(folder))
    return folder


@pytest.fixture(scope="module")
def signatures(exported: Path) -> dict[str, Callable[..., Any]]:
    return dict(tf.saved_model.load(str(exported)).signatures)


def texts(values: tf.Tensor) -> list[list[str]]:
    return [[value.decode() for value in row] for row in values.numpy()]


def test_the_signatures_are_those_of_the_contract(
    signatures: dict[str, Callable[..., Any]],
) -> None:
    assert set(signatures) == {"serving_default", "serve_examples", "pixels"}
    _, inputs = signatures["pixels"].structured_input_signature  # type: ignore[attr-defined]
    assert inputs == {"image": tf.TensorSpec([None, 32, 32, 3], tf.uint8, "image")}
    outputs = signatures["pixels"].structured_outputs  # type: ignore[attr-defined]
    assert {name: spec.dtype for name, spec in outputs.items()} == {"scores": tf.float32}
    for name in ("serving_default", "serve_examples"):
        signature = signatures[name]
        _, inputs = signature.structured_input_signature  # type: ignore[attr-defined]
        assert {name: (spec.dtype, spec.shape.as_list()) for name, spec in inputs.items()} == {
            "inputs": (tf.string, [None])
        }
        outputs = signature.structured_outputs  # type: ignore[attr-defined]
        assert {name: spec.dtype for name, spec in outputs.items()} == {
            "classes": tf.string,
            "scores": tf.float32,
        }


def test_serving_default_gives_the_models_scores_best_first(
    signatures: dict[str, Callable[..., Any]], model: keras.Model, pixels: Pixels, split: str
) -> None:
    pictures = tf.constant(first_pictures(split, 6))
    answers = signatures["serving_default"](inputs=pictures)
    scores = model(pixels(pictures)).numpy()
    order = np.argsort(-scores, axis=1)
    np.testing.assert_allclose(answers["scores"], np.take_along_axis(scores, order, 1), atol=1e-6)
    assert texts(answers["classes"]) == [[CLASSES[index] for index in row] for row in order]
    assert len({row[0] for row in texts(answers["classes"])}) > 1


def test_serve_examples_gives_the_same_scores_in_the_class_lists_order(
    signatures: dict[str, Callable[..., Any]], model: keras.Model, pixels: Pixels, split: str
) -> None:
    (records,) = read_records(split).batch(6).take(1)
    answers = signatures["serve_examples"](inputs=records)
    encoded = parse(records, *PICTURE)[features.ENCODED]
    np.testing.assert_allclose(answers["scores"], model(pixels(encoded)), atol=1e-6)
    assert texts(answers["classes"]) == 6 * [CLASSES]


def test_serve_examples_needs_the_picture_alone(
    signatures: dict[str, Callable[..., Any]], split: str
) -> None:
    (picture,) = first_pictures(split, 1)
    feature = {features.ENCODED: tf.train.Feature(bytes_list=tf.train.BytesList(value=[picture]))}
    example = tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()
    answers = signatures["serve_examples"](inputs=tf.constant([example]))
    assert answers["scores"].shape == (1, 3)


def test_an_empty_batch_has_empty_answers(signatures: dict[str, Callable[..., Any]]) -> None:
    answers = signatures["serving_default"](inputs=tf.constant([], tf.string))
    assert answers["scores"].shape == (0, 3)


def test_the_class_list_is_an_asset(exported: Path) -> None:
    assert json.loads((exported / "assets" / "classes.json").read_text("utf-8")) == CLASSES


def test_the_warm_up_holds_requests_that_the_model_answers(
    exported: Path, signatures: dict[str, Callable[..., Any]], split: str
) -> None:
    file = exported / "assets.extra" / "tf_serving_warmup_requests"
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(file))
    ]
    requests = [log.predict_log.request for log in logs]
    assert [request.model_spec.signature_name for request in requests] == 4 * ["serving_default"]
    sent = [tf.make_ndarray(request.inputs["inputs"]) for request in requests]
    assert [picture for batch in sent for picture in batch] == first_pictures(split, 4)
    for batch in sent:
        assert signatures["serving_default"](inputs=tf.constant(batch))["scores"].shape == (1, 3)


def test_the_asset_tells_what_the_graph_takes_and_makes_of_it(exported: Path) -> None:
    facts = json.loads((exported / "assets" / "preprocessing.json").read_text("utf-8"))
    assert (facts["height"], facts["width"], facts["channels"]) == (32, 32, 3)
    assert facts["scaling"] == "mobilenet"
    assert facts["formats"] == ["JPEG", "PNG", "GIF", "BMP"]


def test_settings_of_pictures_go_along_where_a_client_has_to_know_them(
    network: Network, pixels: Pixels, split: str, tmp_path: Path
) -> None:
    settings, folder = PictureSettings((0, 0, 0), (0, 4095)), tmp_path / "1"
    pictures = first_pictures(split, 2)
    export(network, pixels, "mobilenet", CLASSES, pictures, str(folder), settings)
    facts = json.loads((folder / "assets" / "preprocessing.json").read_text("utf-8"))
    assert (facts["background"], facts["range"]) == ("#000000", [0, 4095])
    session = SavedModelSession(folder)
    name, outputs = "serving_default", ["classes", "scores", "picture_settings"]
    for batch in (pictures, pictures[:1], []):
        found = session.run(name, {"inputs": np.array(batch, object)}, outputs)
        assert found["scores"].shape == (len(batch), 3)
        assert [PictureSettings.decoded(text) for text in found["picture_settings"]] == [
            settings
        ] * len(batch)
    assert set(session.signatures["serve_examples"].outputs) == {"classes", "scores"}


def test_each_weight_is_saved_once_in_float32_and_in_half_the_bytes_in_bfloat16(
    tmp_path: Path, pixels: Pixels
) -> None:
    keras.utils.set_random_seed(0)
    network = build_network(build_base("mobilenet", [32, 32], None), Head(), 3)
    weights = 4 * network.classifier.count_params()
    size = {}
    for precision in ("float32", "bfloat16"):
        target = tmp_path / precision
        form = Served(precision=precision, training_weights=False)
        export(network, pixels, "mobilenet", CLASSES, [], str(target), served=form)
        files = [file for file in target.rglob("*") if file.is_file()]
        size[precision] = sum(file.stat().st_size for file in files) / weights
    assert 0.9 < size["float32"] < 1.15
    assert 0.45 < size["bfloat16"] < 0.65
    saved = tf.train.list_variables(str(tmp_path / "bfloat16" / "variables" / "variables"))
    assert [name for name, _ in saved] == ["_CHECKPOINTABLE_OBJECT_GRAPH"]


def test_temperature_and_certain_are_in_the_graph(
    network: Network, pixels: Pixels, split: str, tmp_path: Path
) -> None:
    pictures = first_pictures(split, 6)
    scaled = pixels(tf.constant(pictures))
    seen = network.extractor(scaled).numpy()
    distance = FeatureDistance.fit(np.repeat(seen[:3], 2, axis=0), np.arange(6) // 2)
    temperature, far = 0.05, np.sort(distance.of(tf.constant(seen)))[4]
    logits = np.log(network.classifier(scaled)) / temperature
    expected = tf.nn.softmax(logits).numpy()
    least = float(np.median(expected.max(1)))
    scoring = Scoring(temperature, Certainty(distance, least, far, tells_distance=True))
    folder = str(tmp_path / "1")
    export(network, pixels, "mobilenet", CLASSES, pictures, folder, scoring=scoring)
    with SavedModelSession(folder) as session:
        found = session.run("serving_default", {"inputs": np.array(pictures, object)})
        none = session.run("serving_default", {"inputs": np.array([], object)})
        assert set(session.signatures["serve_examples"].outputs) == {"classes", "scores"}
    np.testing.assert_allclose(found["scores"], -np.sort(-expected, axis=1), atol=1e-4)
    found_distance = distance.of(tf.constant(seen)).numpy()
    np.testing.assert_allclose(found["distance"], found_distance, rtol=1e-3, atol=1e-3)
    near = found_distance <= far
    sure = expected.max(axis=1) >= np.float32(least)
    assert found["certain"].dtype == bool
    assert found["certain"].tolist() == (near & sure).tolist()
    assert set((near & sure).tolist()) == {True, False}
    assert none["certain"].shape == (0,)
