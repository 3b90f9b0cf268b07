"""An export answers in a session of stock TensorFlow, as it does in memory.

TensorFlow Serving, Java, Go, C and Triton load in a session: by the saver's restore op and tensor
names. `tf.saved_model.load` follows the object graph and answers for models that these can't run.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from components.artifacts import features
from components.artifacts.saved_model_writer import write_saved_model
from components.backbones import BACKBONES
from components.model import warm_start
from components.model.network import Network, build_network
from components.model.transform_graph import Pixels, first_pictures
from components.pretrained.base import build_base
from components.settings.model import Dense, Head
from components.trainer.export import WARMUP, export
from serving.saved_model_session import SavedModelSession
from tests.components import made_artifacts

CLASSES = ["blue", "green", "red"]
QUICK = ("mobilenet",)
SCALING = "mobilenet"  # of the graphs, whatever network is behind them
HEADS = {
    "dense": Head(dense=[Dense(units=4, dropout=0.5)]),
    "flatten": Head(pooling="flatten"),
    "squeeze and excitation": Head(squeeze_excitation=4),
}


def network(backbone: str, head: Head) -> Network:
    keras.utils.set_random_seed(1)
    side = BACKBONES[backbone].minimum_size
    made = build_network(build_base(backbone, [side, side], None), head, len(CLASSES))
    # Statistics of a new network are 0 and 1: an export that lost them would not show.
    for weight in made.base.weights:
        if weight.path.endswith("moving_mean"):
            weight.assign(np.random.default_rng(0).normal(0, 0.01, weight.shape))
        if weight.path.endswith("moving_variance"):
            weight.assign(np.random.default_rng(1).uniform(0.5, 2.0, weight.shape))
    return made


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Pixels]:
    """A Transform graph for each of the backbones' smallest sizes."""
    sides = sorted({backbone.minimum_size for backbone in BACKBONES.values()})
    return {
        side: Pixels(
            made_artifacts.write_transform_graph(
                tmp_path_factory.mktemp(f"graph{side}"), SCALING, [side, side]
            )
        )
        for side in sides
    }


def stock_session(
    directory: str, signature: str, inputs: list[list[bytes]]
) -> list[dict[str, np.ndarray]]:
    """Each of the inputs' answers from TensorFlow's own session loader."""
    batches = [np.array(batch, object) for batch in inputs]
    return run_stock_session(directory, signature, "inputs", batches)


def run_stock_session(
    directory: str, signature: str, alias: str, batches: list[np.ndarray]
) -> list[dict[str, np.ndarray]]:
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        meta_graph = tf.compat.v1.saved_model.load(session, ["serve"], directory)
        definition = meta_graph.signature_def[signature]
        fetches = {alias: info.name for alias, info in definition.outputs.items()}
        feed = definition.inputs[alias].name
        return [session.run(fetches, {feed: batch}) for batch in batches]


def picture_of_size(encoded: bytes, size: list[int]) -> tuple[np.ndarray, bytes]:
    """Returns a picture at the network's size: pixels [height, width, 3] uint8 RGB, and as PNG."""
    made = tf.image.resize(tf.io.decode_image(encoded, 3, expand_animations=False), size)
    pixels = tf.cast(made, tf.uint8)
    return pixels.numpy(), tf.io.encode_png(pixels).numpy()


def example(picture: bytes) -> bytes:
    feature = {features.ENCODED: tf.train.Feature(bytes_list=tf.train.BytesList(value=[picture]))}
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def in_class_order(answer: dict[str, np.ndarray]) -> list[list[float]]:
    order = np.argsort(answer["classes"], axis=1)
    return np.take_along_axis(answer["scores"], order, 1).tolist()


def check(
    made: Network, pixels: Pixels, pictures: list[bytes], to: Path, scaling: str = SCALING
) -> None:
    directory = str(to / "1")
    export(made, pixels, scaling, CLASSES, pictures[:2], directory)
    expected = made.classifier(pixels(tf.constant(pictures)), training=False)
    [best_first] = stock_session(directory, "serving_default", [pictures])
    np.testing.assert_allclose(in_class_order(best_first), expected, atol=1e-6)
    examples = [example(picture) for picture in pictures]
    [ordered] = stock_session(directory, "serve_examples", [examples])
    np.testing.assert_allclose(ordered["scores"], expected, atol=1e-6)
    assert ordered["classes"].tolist() == [[name.encode() for name in CLASSES]] * len(pictures)
    sized = [picture_of_size(picture, pixels.size) for picture in pictures]
    [by_pixels] = run_stock_session(
        directory, "pixels", "image", [np.stack([each[0] for each in sized])]
    )
    [same] = stock_session(directory, "serving_default", [[each[1] for each in sized]])
    np.testing.assert_allclose(by_pixels["scores"], in_class_order(same), atol=1e-6)
    with SavedModelSession(directory) as ours:
        for signature, sent, stock in (
            ("serving_default", pictures, best_first),
            ("serve_examples", examples, ordered),
        ):
            answer = ours.run(signature, {"inputs": np.array(sent, object)})
            np.testing.assert_array_equal(answer["classes"], stock["classes"])
            np.testing.assert_allclose(answer["scores"], stock["scores"], atol=1e-6)
    warm_up = [
        tf.make_ndarray(PredictionLog.FromString(record).predict_log.request.inputs["inputs"])
        for record in tf.data.TFRecordDataset(str(to / "1" / WARMUP)).as_numpy_iterator()
    ]
    assert len(warm_up) == 2
    answers = stock_session(directory, "serving_default", [batch.tolist() for batch in warm_up])
    assert [answer["scores"].shape for answer in answers] == [(1, 3), (1, 3)]


@pytest.mark.parametrize(
    "backbone",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in BACKBONES],
)
def test_every_backbone_answers_in_a_session_as_in_memory(
    backbone: str, graphs: dict[int, Pixels], split: str, tmp_path: Path
) -> None:
    pixels = graphs[BACKBONES[backbone].minimum_size]
    check(network(backbone, Head()), pixels, first_pictures(split, 3), tmp_path)
    keras.backend.clear_session()


@pytest.mark.parametrize("head", HEADS)
def test_every_head_answers_in_a_session_as_in_memory(
    head: str, graphs: dict[int, Pixels], split: str, tmp_path: Path
) -> None:
    made = network("mobilenet", HEADS[head])
    check(made, graphs[32], first_pictures(split, 3), tmp_path)


def test_a_model_that_was_exported_with_keras_variables_still_warms_a_start(
    graphs: dict[int, Pixels], split: str, tmp_path: Path
) -> None:
    """Versions up to 0.1 tracked Keras' own variables, which no session could restore."""
    before = network("mobilenet", Head())

    class Old(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = before.classifier
            setattr(self, warm_start.BASE, list(before.base.weights))
            setattr(self, warm_start.HEAD, list(before.head.weights))
            spec = tf.TensorSpec([None, 32, 32, 3], tf.float32, "inputs")
            self.run = tf.function(
                lambda inputs: {"scores": self.model(inputs)}, input_signature=[spec]
            )

    old = Old()
    directory = tmp_path / "old"
    tf.saved_model.save(old, str(directory), signatures={"serving_default": old.run})
    (directory / "assets").mkdir(exist_ok=True)
    (directory / "assets" / "classes.json").write_text('["blue", "green", "red"]')
    with SavedModelSession(directory) as session:
        pixels = graphs[32](tf.constant(first_pictures(split, 1))).numpy()
        with pytest.raises(tf.errors.FailedPreconditionError, match="Could not find variable"):
            session.run("serving_default", {"inputs": pixels})
    now = network("mobilenet", Head())
    for weight in now.classifier.weights:
        weight.assign(weight + 1)
    warm_start.restore_base(now.base, str(directory))
    warm_start.restore_head(now.head, CLASSES, str(directory))
    for weight, old_weight in zip(now.classifier.weights, before.classifier.weights, strict=True):
        np.testing.assert_array_equal(weight, old_weight)


def test_a_variable_that_is_not_listed_is_no_export(tmp_path: Path) -> None:
    bias = keras.Variable([1.0])
    spec = tf.TensorSpec([None], tf.float32, "inputs")
    run = tf.function(lambda inputs: {"sum": inputs + bias}, input_signature=[spec])
    with pytest.raises(AssertionError, match="untracked"):
        write_saved_model(str(tmp_path / "1"), {"serving_default": run}, {})
