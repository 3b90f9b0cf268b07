"""Whole feature maps are refused where they would not fit, before any is computed."""

from __future__ import annotations

from typing import Any

import pytest

from components.bottleneck_gen.executor import _check_budget
from components.errors import ConfigError
from components.settings.model import Head, Model
from tests.explains import refused

_PICTURES = 2 * 24  # in both splits
_MAP = 1024  # numbers of MobileNet's last feature map at 32 pixels: 1 x 1 x 1024
_NEEDED = 4 * _MAP * _PICTURES / 1e6  # MB


def check(split: str, budget_mb: int, size: int = 32, **head: Any) -> None:
    model = Model(backbone="mobilenet", weights=None, head=Head(**head))
    _check_budget(model, [size, size], {"train": split, "eval": split}, budget_mb)


@pytest.mark.parametrize("head", [{"pooling": "flatten"}, {"squeeze_excitation": 16}])
def test_maps_over_the_budget_are_refused_with_what_they_take_and_the_ways_out(
    split: str, head: dict[str, Any]
) -> None:
    # 64 pixels give a map of 2 x 2: four times as much.
    expected = rf"take {4 * _NEEDED:,.0f} MB with this head \({4 * _MAP:,} numbers each\), 0 are"
    with refused(
        ConfigError,
        found=rf"{_PICTURES} pictures {expected}",
        allowed="0 are allowed",
        next="Raise it, set model.head.pooling=average, or .*=end_to_end",
    ):
        check(split, 0, size=64, **head)


def test_maps_within_the_budget_pass(split: str) -> None:
    check(split, 1, pooling="flatten")


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_pooled_features_are_always_written_and_no_network_is_built(
    monkeypatch: pytest.MonkeyPatch, split: str, pooling: str
) -> None:
    monkeypatch.setattr("components.bottleneck_gen.executor.build_base", None)
    check(split, 0, pooling=pooling)
