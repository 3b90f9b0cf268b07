"""Labels and pixel range inside a file for devices, as TensorFlow Lite's metadata has them.

The schema is the published one of TensorFlow Lite (metadata_schema.fbs, version 1.0.0): MediaPipe's
and Android's Task APIs read it, and then need no code of ours. Its few tables are written by
position, since no library that is kept up has Python classes of it.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from components.artifacts.types import LABELS

NAME = "TFLITE_METADATA"
"""Of the model's metadata entry, by which readers find it."""

_MODEL_IDENTIFIER, _IDENTIFIER = b"TFL3", b"M001"
_ALIGNMENT = 16  # bytes, of a model's buffers: `force_align` in its schema
_IMAGE_PROPERTIES, _NORMALIZATION = 2, 1  # types in the unions of content and process units
_RGB, _AXIS_LABELS = 1, 2
_OLDEST_DATE = (1980, 1, 1, 0, 0, 0)  # of a zip file: the same model makes the same bytes

Add = Callable[[flatbuffers.Builder], Any]
"""Adds a field's value, by its position in the table's schema."""


class _AlignedBuilder(flatbuffers.Builder):
    """Aligns byte vectors as a model's buffers are, which the generated classes leave out."""

    def StartVector(self, elemSize: int, numElems: int, alignment: int) -> Any:
        return super().StartVector(elemSize, numElems, _ALIGNMENT if elemSize == 1 else alignment)


def with_metadata(file: bytes, labels: Sequence[str]) -> bytes:
    """Returns a file for devices with its labels and the range of its pixels inside.

    Args:
      file: takes [1, height, width, 3] uint8 RGB, 0 to 255, and scales it itself.
      labels: of the scores, in their order; a line each.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(file, 0))
    buffer = schema.BufferT()
    buffer.data = list(_metadata())
    entry = schema.MetadataT()
    entry.name, entry.buffer = NAME, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*(model.metadata or []), entry]
    builder = _AlignedBuilder(len(file))
    builder.Finish(model.Pack(builder), _MODEL_IDENTIFIER)
    whole = io.BytesIO(bytes(builder.Output()))
    with zipfile.ZipFile(whole, "a") as archive:
        archive.writestr(
            zipfile.ZipInfo(LABELS, _OLDEST_DATE), "".join(f"{label}\n" for label in labels)
        )
    return whole.getvalue()


def _metadata() -> bytes:
    """Returns the `ModelMetadata`: pixels that need no scaling in, scores with labels out."""
    builder = flatbuffers.Builder(1024)
    image = _table(builder, 2, lambda b: b.PrependInt8Slot(0, _RGB, 0))
    content = _table(
        builder,
        3,
        lambda b: b.PrependUint8Slot(0, _IMAGE_PROPERTIES, 0),
        lambda b: b.PrependUOffsetTRelativeSlot(1, image, 0),
    )
    scaling = _of_tables(builder, {0: _floats(builder, 0.0), 1: _floats(builder, 1.0)})
    unit = _table(
        builder,
        2,
        lambda b: b.PrependUint8Slot(0, _NORMALIZATION, 0),
        lambda b: b.PrependUOffsetTRelativeSlot(1, scaling, 0),
    )
    pixels = _of_tables(builder, {0: _floats(builder, 255.0), 1: _floats(builder, 0.0)})
    taken = _of_tables(
        builder,
        {
            0: builder.CreateString("image"),
            3: content,
            4: _vector(builder, [unit]),
            5: pixels,
        },
    )
    name = builder.CreateString(LABELS)
    labels = _table(
        builder,
        3,
        lambda b: b.PrependUOffsetTRelativeSlot(0, name, 0),
        lambda b: b.PrependInt8Slot(2, _AXIS_LABELS, 0),
    )
    given = _of_tables(builder, {0: builder.CreateString("scores"), 6: _vector(builder, [labels])})
    graph = _of_tables(builder, {2: _vector(builder, [taken]), 3: _vector(builder, [given])})
    model = _of_tables(
        builder,
        {
            0: builder.CreateString("image classifier"),
            3: _vector(builder, [graph]),
            7: builder.CreateString("1.0.0"),
        },
    )
    builder.Finish(model, _IDENTIFIER)
    return bytes(builder.Output())


def _table(builder: flatbuffers.Builder, size: int, *fields: Add) -> int:
    """Returns a table of at most `size` fields."""
    builder.StartObject(size)
    for add in fields:
        add(builder)
    return int(builder.EndObject())


def _of_tables(builder: flatbuffers.Builder, offsets: dict[int, int]) -> int:
    """Returns a table of which all fields are tables, vectors or strings, by position."""
    builder.StartObject(max(offsets) + 1)
    for position, offset in offsets.items():
        builder.PrependUOffsetTRelativeSlot(position, offset, 0)
    return int(builder.EndObject())


def _vector(builder: flatbuffers.Builder, offsets: list[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _floats(builder: flatbuffers.Builder, value: float) -> int:
    builder.StartVector(4, 1, 4)
    builder.PrependFloat32(value)
    return int(builder.EndVector())
