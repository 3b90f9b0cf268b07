"""Keeps TensorFlow's messages about itself off standard error."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


def quiet_pillow() -> None:
    """Hides Pillow's warnings about pictures in this process; what matters is a refusal or a count.

    For programs, as the one below: it changes the process's filters.
    """
    warnings.filterwarnings("ignore", module=r"PIL\b")


@contextmanager
def quiet_import() -> Iterator[None]:
    """Hides writes to standard error while TensorFlow is imported inside the block.

    Its libraries write there as they are loaded, before any level applies to them, so the file
    descriptor itself is turned away. If the import fails, all of it is shown. For programs, in
    their main thread: it also sets the process's log level, unless the environment does.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.simplefilter("ignore", FutureWarning)  # Google's libraries on the age of Python
    sys.stderr.flush()
    shown = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            yield
        except BaseException:
            aside.seek(0)
            os.write(shown, aside.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(shown, 2)
            os.close(shown)
