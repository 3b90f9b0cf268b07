from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from components import processor
from components.bottleneck_gen.component import BottleneckGen
from components.bottleneck_gen.executor import BottleneckSettings
from components.model import precision
from components.settings.base import Section
from components.settings.model import Model
from components.settings.training import Training
from components.step import progress
from components.step.base import Step
from components.trainer.component import Trainer
from components.trainer.settings import TrainerSettings
from tests.components.made_step import about_to_run

PLAIN = "fpu sse4_2 avx2 avx512f"


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, with_flags: Callable[[str], None]) -> Any:
    """Makes this machine one with these processor flags and GPUs of these capabilities."""

    def make(flags: str, *capabilities: tuple[int, int]) -> None:
        with_flags(flags)
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: list(capabilities))
        details = lambda gpu: {"compute_capability": gpu}  # noqa: E731
        monkeypatch.setattr(tf.config.experimental, "get_device_details", details)

    return make


@pytest.mark.parametrize(
    ("flags", "gpus", "expected"),
    [
        (PLAIN, [], "float32"),
        (f"{PLAIN} avx512_bf16", [], "bfloat16"),
        (f"{PLAIN} amx_bf16 amx_tile", [], "bfloat16"),
        (f"{PLAIN} avx512_bf16 avx512_fp16 amx_bf16 amx_tile", [], "bfloat16"),
        (f"{PLAIN} avx512_bf16 avx512_fp16", [], "float32"),
        (PLAIN, [(8, 0)], "bfloat16"),
        (PLAIN, [(9, 0), (7, 5)], "float16"),
        (f"{PLAIN} avx512_bf16", [(6, 1)], "float32"),
    ],
)
def test_auto_is_what_the_device_multiplies_fastest_in(
    machine: Any, flags: str, gpus: list[tuple[int, int]], expected: str
) -> None:
    machine(flags, *gpus)
    assert precision.resolve("auto") == expected


def test_without_onednn_or_the_list_of_flags_it_is_single(
    machine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(f"{PLAIN} avx512_bf16")
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    assert precision.resolve("auto") == "float32"
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
    monkeypatch.setattr(processor, "_CPU_INFO", Path("/nowhere/cpuinfo"))
    assert precision.resolve("auto") == "float32"


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        ("avx512_core_vnni", "float32"),
        ("AVX2", "float32"),
        ("AVX512_CORE_BF16", "float32"),
        ("AVX512_CORE_AMX", "bfloat16"),
    ],
)
def test_the_most_that_onednn_may_use_counts(
    machine: Any, monkeypatch: pytest.MonkeyPatch, most: str, expected: str
) -> None:
    machine(f"{PLAIN} avx512_bf16 avx512_fp16 amx_bf16")
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", most)
    assert precision.resolve("auto") == expected


def test_what_was_asked_for_or_found_by_the_driver_counts(machine: Any) -> None:
    machine(PLAIN)
    assert precision.resolve("bfloat16") == "bfloat16"
    machine(f"{PLAIN} avx512_bf16")
    assert precision.resolve("float32") == "float32"
    assert precision.chosen("auto", {precision.PRECISION: "float32"}) == "float32"


def test_half_precision_is_noted_with_its_reason(
    machine: Any, caplog: pytest.LogCaptureFixture
) -> None:
    machine(f"{PLAIN} avx512_bf16")
    progress.LOGGER.addHandler(caplog.handler)
    try:
        with caplog.at_level(logging.INFO):
            precision.chosen("auto", {})
            precision.chosen("float32", {})
    finally:
        progress.LOGGER.removeHandler(caplog.handler)
    noted = [record.getMessage() for record in caplog.records]
    assert noted == ["the backbone computes in bfloat16 (the processor has avx512_bf16)"]


MODEL, TRAINING = Model(weights=None), Training()


@pytest.mark.parametrize(
    ("step", "settings"),
    [
        (Trainer, TrainerSettings(model=MODEL, training=TRAINING)),
        (BottleneckGen, BottleneckSettings.of(MODEL, [32, 32], TRAINING)),
    ],
)
def test_what_auto_is_on_this_machine_is_in_the_cache_key(
    machine: Any, step: type[Step], settings: Section
) -> None:
    info = about_to_run(step, settings, input_dict={})
    machine(PLAIN)
    assert step.DRIVER_CLASS(None).facts_of(info) == {"precision": "float32"}
    machine(f"{PLAIN} amx_bf16")
    assert step.DRIVER_CLASS(None).facts_of(info) == {"precision": "bfloat16"}
