"""Names the pictures on which a step ended.

The ingest decodes every picture, so that none should; records that were damaged since, or written
by another program, can.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator

import tensorflow as tf

from components.artifacts import features
from components.artifacts.examples import Example
from components.errors import DataError
from components.picture_ops import decode
from serving.names import some

_SHOWN = 5


@contextlib.contextmanager
def named(examples: Callable[[], Iterable[bytes]]) -> Iterator[None]:
    """Raises an error that names the pictures where TensorFlow's own names an operation.

    Args:
      examples: returns the serialized Examples that are read within; called after an error alone.

    Raises:
      DataError: some of them can't be decoded.
    """
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        found = [name for name in map(_undecodable, examples()) if name]
        if not found:
            raise
        raise DataError(
            f"The decoder refuses what was ingested of {some(found, _SHOWN)}. Look at "
            "the files, or remove them, and run --from ImageExampleGen."
        ) from error


def _undecodable(example: bytes) -> str:
    """Returns the name of a picture that can't be decoded; "" of others."""
    picture = Example(example)
    try:
        decode(tf.constant(picture.encoded(features.ENCODED)))
    except tf.errors.OpError:
        return picture.text(features.FILENAME)
    return ""
