"""Half precision where the device has it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

import keras
import tensorflow as tf


@contextlib.contextmanager
def precision(mixed: bool) -> Iterator[None]:
    """Sets half precision for layers made within, if `mixed` and there is a GPU."""
    before = keras.config.dtype_policy()
    if mixed and tf.config.list_physical_devices("GPU"):
        keras.config.set_dtype_policy("mixed_float16")
    elif mixed:
        logging.getLogger(__name__).warning("mixed_precision: no GPU here; single precision it is")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
