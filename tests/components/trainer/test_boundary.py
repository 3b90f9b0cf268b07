from __future__ import annotations

import keras
import numpy as np
import pytest

from components.model.network import unfreeze
from components.pretrained.base import build_base, first_unfrozen
from components.trainer.boundary import split_at
from tests.components.model.hub_like import SIDE as HUB_SIDE
from tests.components.model.hub_like import hub_like

SIZE = 64


@pytest.fixture(scope="module")
def resnet() -> keras.Model:
    keras.utils.set_random_seed(0)
    return build_base("resnet50", [SIZE, SIZE], None)


def pictures() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(2, SIZE, SIZE, 3)).astype(np.float32)


@pytest.mark.parametrize(
    ("first", "tensors"),
    [
        ("conv5_block1_1_conv", 1),  # where a block begins
        ("conv4_block2_2_conv", 2),  # within one: the branch and the shortcut
        (1, 1),
        (174, 1),  # the last layer
    ],
)
def test_both_parts_one_after_the_other_are_the_base(
    resnet: keras.Model, first: str | int, tensors: int
) -> None:
    bottom, top = split_at(resnet, first_unfrozen(resnet, "resnet50", first))
    assert len(bottom.outputs) == len(top.inputs) == tensors
    expected = resnet(pictures(), training=False)
    found = top(bottom(pictures(), training=False), training=False)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_the_parts_share_the_bases_weights(resnet: keras.Model) -> None:
    first = first_unfrozen(resnet, "resnet50", "conv5_block1_1_conv")
    bottom, top = split_at(resnet, first)
    own = {id(weight) for weight in resnet.weights}
    parts = [id(weight) for part in (bottom, top) for weight in part.weights]
    assert set(parts) == own
    assert len(parts) == len(own)


def test_what_learns_lies_above_the_boundary(resnet: keras.Model) -> None:
    first = first_unfrozen(resnet, "resnet50", "conv5_block1_1_conv")
    unfreeze(resnet, first)
    bottom, top = split_at(resnet, first)
    assert bottom.trainable_weights == []
    assert {id(weight) for weight in top.trainable_weights} == {
        id(weight) for weight in resnet.trainable_weights
    }


@pytest.mark.parametrize(("first", "reads"), [("encoder", "image"), ("last", "encoder")])
def test_a_base_of_layers_with_several_outputs_is_cut_where_all_are_of_pictures(
    first: str, reads: str
) -> None:
    base = hub_like()
    bottom, top = split_at(base, [layer.name for layer in base.layers].index(first))
    expected = base.input if reads == "image" else base.get_layer(reads).output[0]
    assert [tuple(each.shape) for each in top.inputs] == [tuple(expected.shape)]
    values = np.random.default_rng(0).normal(size=(2, HUB_SIDE, HUB_SIDE, 3)).astype(np.float32)
    np.testing.assert_allclose(top(bottom(values)), base(values), rtol=1e-5, atol=1e-5)
