"""What is made of KerasHub's networks, without KerasHub: layers that do as its own do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from components.hub_layers import as_map, remade


class Derived(keras.layers.Layer):
    """A layer whose configuration has a value too many and an argument too few."""

    def __init__(self, units: int, bias: bool = True, **kwargs: Any):
        super().__init__(**kwargs)
        self.units, self.bias, self.doubled = units, bias, 2 * units

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.kernel = self.add_weight(shape=(shape[-1], self.doubled))
        self.shift = self.add_weight(shape=(self.doubled,)) if self.bias else 0.0

    def call(self, inputs: Any) -> Any:
        return inputs @ self.kernel + self.shift

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "doubled": self.doubled}


def test_a_layer_is_copied_and_saved_whose_own_configuration_can_not_be_read(
    tmp_path: Path,
) -> None:
    inputs = keras.Input((3,))
    network = keras.Model(inputs, Derived(2, bias=False, name="derived")(inputs))
    values = np.random.default_rng(0).normal(size=(2, 3)).astype(np.float32)
    expected = np.asarray(network(values))
    made = remade(network)
    file = tmp_path / "model.keras"
    for copy in (made, remade(made)):
        np.testing.assert_array_equal(copy(values), expected)
        copy.save(file)
        loaded = keras.models.load_model(file, {"Derived": Derived}, compile=False)
        np.testing.assert_array_equal(loaded(values), expected)
    assert type(loaded.get_layer("derived")) is Derived


@pytest.mark.parametrize(
    ("stages", "shape"), [([(5,)], (1, 1, 5)), ([(6, 6, 4), (3, 3, 8)], (3, 3, 8))]
)
def test_a_vector_is_a_map_of_one_place_and_of_stages_the_last_one_counts(
    stages: list[tuple[int, ...]], shape: tuple[int, ...]
) -> None:
    outputs = {f"stage{index}": keras.Input(each) for index, each in enumerate(stages)}
    assert as_map(outputs, (24, 24, 3), None).shape == (None, *shape)


def test_what_is_neither_map_nor_patches_nor_vector_is_refused() -> None:
    with pytest.raises(ValueError, match="neither a map"):
        as_map(keras.Input((4, 5)), (8, 8, 3), None)


@pytest.mark.parametrize(("others", "channels"), [(0, 5), (1, 10), (5, 10)])
def test_a_map_of_patches_pools_to_their_mean_and_the_class_token(
    others: int, channels: int
) -> None:
    tokens = keras.Input((others + 6, 5))
    laid_out = keras.Model(tokens, as_map(tokens, (8, 12, 3), 4))
    assert laid_out.output_shape == (None, 2, 3, channels)
    values = np.random.default_rng(0).normal(size=(2, others + 6, 5)).astype(np.float32)
    found = np.asarray(laid_out(values))
    np.testing.assert_allclose(found[:, 1, 0, :5], values[:, others + 3])
    expected = [values[:, others:].mean(axis=1), *([values[:, 0]] if others else [])]
    np.testing.assert_allclose(found.mean(axis=(1, 2)), np.hstack(expected), rtol=1e-5)
