"""Sets what TensorFlow, Keras and TFX read when they are imported, and makes imports cheap."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import sys
from collections.abc import Iterator

from components.files.cache_folder import cache_dir
from components.step import memory
from serving import deferred_imports

_TFX_COMPONENTS = "tfx.components"
"""One constant that TFX's launcher reads, or one module of one component, imports all of TFX's
components with TFMA, tf.Transform and the Kubernetes client: 2 to 3 s of CPU of a node (measured
2026-11-26; without it for the launcher alone, six nodes' own imports take as much)."""

_OF_BEAM_AND_TFMA = (
    *("google.cloud.bigquery", "google.cloud.bigquery_storage_v1", "google.cloud.pubsub"),
    *("tensorflow_model_analysis.metrics.rouge", "tensorflow_text"),
    *("tensorflow_model_analysis.view", "scipy.stats"),
)
"""Clients of Google's cloud; what scores texts (by nltk) and what models of texts hold; widgets of
notebooks, and confidence intervals."""


def prepare() -> None:
    """Sets what results depend on, and what else the user has not set otherwise."""
    # TensorFlow Transform would choose the legacy Keras for all of us.
    os.environ["TF_USE_LEGACY_KERAS"] = "0"
    os.environ["KERAS_BACKEND"] = "tensorflow"
    # Importing Keras writes a file to its home, which is ~/.keras otherwise.
    os.environ.setdefault("KERAS_HOME", str(cache_dir() / "keras"))
    # Likewise Matplotlib and ~/.config.
    os.environ.setdefault("MPLCONFIGDIR", str(cache_dir() / "matplotlib"))
    deferred_imports.defer(*deferred_imports.TENSORFLOW)
    memory.map_large_blocks()


def end_at_once() -> None:
    """Lets this process end with exit code 1 and without what libraries do at the end.

    libhdf5 would write what it could not write to a full disk, and crash.
    """
    atexit.register(_end)


def _end() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(1)


@contextlib.contextmanager
def heavy_imports() -> Iterator[None]:
    """Defers what no step uses, and keeps the garbage collector from what is imported meanwhile.

    The collector would go through all of TensorFlow, TFX and Beam several times while they are
    imported, and once more when the process ends: 1.3 s of CPU each (measured 2026-11-22), and
    would find nothing.
    """
    deferred_imports.defer(_TFX_COMPONENTS, *_OF_BEAM_AND_TFMA)
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collecting:
            gc.enable()
