from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.model.network import build_network
from components.model.transform_graph import Pixels
from components.pretrained.base import build_base
from components.report.heat_maps import GradCam
from components.settings.model import Head
from tests.components.report.made_run import picture


class Brightness:
    """Stands for the Transform graph: 64 x 64 pixels, the brighter half where a picture says."""

    def __call__(self, encoded: tf.Tensor) -> tf.Tensor:
        right = encoded.numpy() == b"right"
        picture = np.zeros((len(right), 64, 64, 3), np.float32)
        for index, on_the_right in enumerate(right):
            picture[index, :, 32:] = on_the_right
            picture[index, :, :32] = not on_the_right
        return tf.constant(picture)


def classifier(base: keras.Model, *on_top: keras.Layer, classes: int = 2) -> keras.Model:
    """A classifier as the Trainer saves it: `extractor`, of the base and more, and `head`."""
    inputs = outputs = keras.Input(base.input_shape[1:], name="image")
    for layer in (base, *on_top):
        outputs = layer(outputs)
    extractor = keras.Model(inputs, outputs, name="extractor")
    features = keras.Input(extractor.output_shape[1:])
    flat = keras.layers.Flatten()(features)
    scores = keras.layers.Dense(classes, activation="softmax", name="scores")(flat)
    head = keras.Model(features, scores, name="head")
    return keras.Model(inputs, head(extractor(inputs)))


def seeing_brightness() -> keras.Model:
    """A classifier whose class 1 is brightness."""
    inputs = keras.Input((64, 64, 3))
    base = keras.Model(inputs, keras.layers.AveragePooling2D(8)(inputs))
    made = classifier(base, keras.layers.GlobalAveragePooling2D())
    weights = [np.array([[-5.0, 5.0]] * 3), np.zeros(2)]
    made.get_layer("head").get_layer("scores").set_weights(weights)
    return made


def test_heat_lies_where_what_speaks_for_the_class_is() -> None:
    pixels: Pixels = Brightness()  # type: ignore[assignment]
    left, right = GradCam(seeing_brightness(), pixels).heat([b"left", b"right"], [1, 1])
    assert left.shape == (8, 8)
    assert (left[:, :4] == 1).all() and (left[:, 4:] == 0).all()
    assert (right[:, 4:] == 1).all() and (right[:, :4] == 0).all()


def test_what_speaks_against_a_class_is_not_shown() -> None:
    pixels: Pixels = Brightness()  # type: ignore[assignment]
    [found] = GradCam(seeing_brightness(), pixels).heat([b"left"], [0])
    assert found.max() == 0


@pytest.mark.parametrize(
    "on_top",
    [[keras.layers.GlobalAveragePooling2D()], [keras.layers.Flatten()], []],
    ids=["pooled", "flat", "a map that the head pools"],
)
def test_every_head_can_be_looked_through(on_top: list[keras.Layer], pixels: Pixels) -> None:
    made = classifier(build_base("mobilenet", [32, 32], None), *on_top)
    [found] = GradCam(made, pixels).heat([picture()], [1])
    assert found.shape == (1, 1)  # 32 pixels, halved five times


@pytest.mark.parametrize(("side", "places"), [(96, "3 x 3"), (128, "")])
def test_a_map_of_few_places_is_told_and_a_larger_one_is_not(
    side: int, places: str, pixels: Pixels
) -> None:
    made = classifier(build_base("mobilenet", [side, side], None))
    reason = GradCam(made, pixels).too_coarse
    assert (places in reason and "image.size" in reason) if places else not reason


@pytest.mark.slow
def test_the_pictures_of_a_page_are_heated_on_inception_v3() -> None:
    class Grey:
        def __call__(self, encoded: tf.Tensor) -> tf.Tensor:
            return tf.zeros((len(encoded), 299, 299, 3))

    base = build_base("inception_v3", [299, 299], None)
    made = classifier(base, keras.layers.GlobalAveragePooling2D())
    found = GradCam(made, Grey()).heat([b""] * 24, [0] * 24)  # type: ignore[arg-type]
    assert [heat.shape for heat in found] == [(8, 8)] * 24


def test_of_several_outputs_the_highest_map_is_the_one() -> None:
    base = build_base("mobilenet", [64, 64], None)
    names = ["conv_pw_1_relu", "conv_pw_3_relu"]
    network = build_network(base, Head(), 2, names)
    pixels: Pixels = Brightness()  # type: ignore[assignment]
    [heat] = GradCam(network.classifier, pixels).heat([b"right"], [1])
    assert heat.shape == base.get_layer("conv_pw_3_relu").output.shape[1:3]
    assert np.isfinite(heat).all()
