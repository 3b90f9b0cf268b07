"""In what a network's layers compute: half precision where the device multiplies faster in it.

Here alone `auto` becomes a precision. The drivers of the steps whose results depend on it look it
up where the step runs, so that it is part of their cache keys.
"""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf
from tfx.orchestration.portable.data_types import ExecutionInfo

from components import processor
from components.model.chosen_weights import WeightsDriver
from components.settings.training import ResolvedPrecision
from components.step import progress
from components.step.base import settings_of

PRECISION = "precision"
"""The fact of a step's driver."""

_ALL: tuple[ResolvedPrecision, ...] = ("float32", "bfloat16", "float16")
_TENSOR_CORES, _BFLOAT16_CORES = (7, 0), (8, 0)  # compute capabilities


def resolve(asked: str) -> ResolvedPrecision:
    """Returns the precision that was asked for, or for `auto` the one that suits this machine."""
    return next((each for each in _ALL if each == asked), None) or _suitable()[0]


def chosen(asked: str, facts: Mapping[str, str]) -> ResolvedPrecision:
    """Returns the precision that a step's driver found, and notes it where it is a half one."""
    found = resolve(facts.get(PRECISION, asked))
    if found != "float32":
        why = _suitable()[1] if asked == "auto" else "as training.precision asks for"
        progress.note(f"the backbone computes in {found} ({why})")
    return found


def _suitable() -> tuple[ResolvedPrecision, str]:
    """Returns the fastest precision on this machine's devices, and why."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        least = min(_capability(gpu) for gpu in gpus)
        named = f"compute capability {least[0]}.{least[1]}"
        if least >= _BFLOAT16_CORES:
            return "bfloat16", named
        return ("float16", named) if least >= _TENSOR_CORES else ("float32", named)
    if flags := processor.fast_in_bfloat16():
        return "bfloat16", f"the processor has {' and '.join(flags)}"
    return "float32", "no device here multiplies faster in less"


def _capability(gpu: tf.config.PhysicalDevice) -> tuple[int, int]:
    details = tf.config.experimental.get_device_details(gpu)
    major, minor = details.get("compute_capability", (0, 0))
    return major, minor


class PrecisionDriver(WeightsDriver):
    """For a step whose settings have a `model` and a `precision`."""

    def facts_of(self, execution_info: ExecutionInfo) -> dict[str, str]:
        asked: str = settings_of(execution_info).precision
        return super().facts_of(execution_info) | {PRECISION: resolve(asked)}
