"""Asks a SavedModel for batches of files. Imports NumPy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from components.image_example_gen import sources
from pipeline.commands.evaluate_answer import Answer
from serving.picture_settings import DEFAULT, OUTPUT, PictureSettings
from serving.pictures import PictureError, canonical

if TYPE_CHECKING:
    from serving.saved_model_session import SavedModelSession


def answers(
    session: SavedModelSession, files: Sequence[sources.SourceFile], size: int
) -> Iterator[Answer | str]:
    """Yields each file's answer, or why it has none; a picture as the model's settings say."""
    settings = DEFAULT
    for start in range(0, len(files), size):
        chunk = files[start : start + size]
        found = _batch(session, chunk, settings)
        if found[1] != settings:  # the model told how its pictures become canonical
            settings = found[1]
            found = _batch(session, chunk, settings)
        yield from found[0]


def _batch(
    session: SavedModelSession, files: Sequence[sources.SourceFile], settings: PictureSettings
) -> tuple[list[Answer | str], PictureSettings]:
    import tensorflow as tf

    read = [_read(file, settings) for file in files]
    pictures = [content for content in read if isinstance(content, bytes)]
    if not pictures:
        return [str(content) for content in read], settings
    try:
        outputs = session.run("serving_default", {"inputs": np.array(pictures, object)})
    except tf.errors.OpError as error:
        if len(files) == 1:
            return [str(error).partition("\n")[0]], settings
        each = [_batch(session, [file], settings) for file in files]
        return [found[0][0] for found in each], settings
    told = outputs.get(OUTPUT)
    carried = PictureSettings.decoded(told.ravel()[0]) if told is not None else settings
    best = zip(outputs["classes"][:, 0], outputs["scores"][:, 0], strict=True)
    known = iter([Answer(name.decode(), float(score)) for name, score in best])
    return [next(known) if isinstance(content, bytes) else content for content in read], carried


def _read(file: sources.SourceFile, settings: PictureSettings) -> bytes | str:
    """Returns the canonical picture, or why there is none."""
    try:
        return canonical(sources.content(file), settings=settings).encoded
    except OSError as error:
        return f"can't be read: {error.strerror or error}"
    except PictureError as error:
        return str(error)
