from __future__ import annotations

import logging

import keras
import pytest
import tensorflow as tf

from components.model.network import build_head
from components.settings.model import Dense, Head
from components.trainer.precision import precision


def have_gpus(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    devices = [tf.config.PhysicalDevice(f"/GPU:{number}", "GPU") for number in range(count)]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: devices)


def policy() -> str:
    return keras.config.dtype_policy().name


def test_a_gpu_computes_in_half_precision_but_for_the_softmax(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    have_gpus(monkeypatch, 1)
    with precision(True):
        head = build_head(Head(dense=[Dense(units=4)]), (8,), 3)
    dense, scores = (layer for layer in head.layers if isinstance(layer, keras.layers.Dense))
    assert (dense.compute_dtype, dense.variable_dtype) == ("float16", "float32")
    assert (scores.compute_dtype, head.output.dtype) == ("float32", "float32")
    assert policy() == "float32"


def test_without_a_gpu_it_stays_single_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    have_gpus(monkeypatch, 0)
    with caplog.at_level(logging.WARNING), precision(True):
        assert policy() == "float32"
    assert "no GPU here" in caplog.text


def test_unasked_for_nothing_changes(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    have_gpus(monkeypatch, 1)
    with precision(False):
        assert policy() == "float32"
    assert not caplog.text


def test_an_error_leaves_the_policy_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    have_gpus(monkeypatch, 1)
    with pytest.raises(RuntimeError), precision(True):
        raise RuntimeError
    assert policy() == "float32"
