from __future__ import annotations

import pytest

from components.fit.class_weights import balanced


def test_every_class_weighs_the_same_in_all() -> None:
    counts = {"a": 60, "b": 30, "c": 10}
    weights = balanced(counts)
    assert weights == pytest.approx({"a": 100 / 180, "b": 100 / 90, "c": 100 / 30})
    assert sum(weights[name] * counts[name] for name in counts) == pytest.approx(100)


def test_a_class_without_training_pictures_has_no_weight() -> None:
    assert balanced({"a": 5, "b": 5, "c": 0}) == {"a": 1.0, "b": 1.0}
    assert balanced({}) == {}
