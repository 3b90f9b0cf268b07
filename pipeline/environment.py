"""What must be set before TensorFlow, Keras or TFX is imported."""

from __future__ import annotations

import os

from components.weights import cache_dir
from pipeline import deferred_imports


def prepare() -> None:
    """Sets what results depend on, and what else the user has not set otherwise."""
    # TensorFlow Transform would choose the legacy Keras for all of us.
    os.environ["TF_USE_LEGACY_KERAS"] = "0"
    os.environ["KERAS_BACKEND"] = "tensorflow"
    # Importing Keras writes a file to its home, which is ~/.keras otherwise.
    os.environ.setdefault("KERAS_HOME", str(cache_dir() / "keras"))
    # Likewise Matplotlib and ~/.config.
    os.environ.setdefault("MPLCONFIGDIR", str(cache_dir() / "matplotlib"))
    deferred_imports.defer()
