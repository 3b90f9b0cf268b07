"""One record: what it holds, as a tf.train.Example. Here alone are the names of its features."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from serving.api import Example

MOST_CLASSES = 5
"""Of a prediction, the best ones: a record has a bounded size."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Record:
    """A picture that a model was asked about, and its prediction.

    A field is a feature of the same name: bytes for text, int64 for whole numbers, float for
    others. One that is None or empty is left out.
    """

    sha256: str
    """Of the file's bytes, hexadecimal, as `sha256sum` prints it; a server knows `sent_sha256`."""
    sent_sha256: str
    """Of the canonical picture's bytes, as they were sent."""
    milliseconds: int
    """When it was answered, since 1970 UTC."""
    model: str
    """The model's name on the server."""
    version: int
    """Of the model that answered."""
    classes: tuple[str, ...]
    """The best ones, at most `MOST_CLASSES`, the best first."""
    scores: tuple[float, ...]
    """Theirs, in [0, 1]."""
    certain: int | None = None
    """1 or 0: whether the model is certain; None where it does not tell."""
    distance: float | None = None
    """Of the picture's features to those of the training pictures; None where it is not told."""
    brightness: float
    contrast: float
    sharpness: float
    """As `serving.picture_measures` has them, for the canonical picture."""
    width: int
    height: int
    """Pixels of the canonical picture."""
    thumbnail: bytes = b""
    """A small JPEG, where asked for."""

    def encoded(self) -> bytes:
        """Returns the serialized tf.train.Example."""
        example = Example()
        for field in dataclasses.fields(self):
            _set(example.features.feature, field.name, getattr(self, field.name))
        return bytes(example.SerializeToString())

    @classmethod
    def decoded(cls, data: bytes) -> Record:
        """Reads what `encoded` returned; features that it does not know are left.

        Raises:
            ValueError: no such Example, or one that lacks a feature.
        """
        try:
            found = Example.FromString(data).features.feature
            return cls(
                **{
                    name: read(found[name])
                    for name, read in _READ.items()
                    if name in found or name not in _OPTIONAL
                }
            )
        except Exception as error:  # protobuf's own error has no public name on both lines
            raise ValueError(f"no record of a served picture: {error}") from error


def _set(features: Any, name: str, value: Any) -> None:
    if value is None or value == b"":
        return
    values = list(value) if isinstance(value, tuple) else [value]
    kind = features[name]
    if isinstance(values[0], str | bytes):
        kind.bytes_list.value.extend(v.encode() if isinstance(v, str) else v for v in values)
    elif isinstance(values[0], int):
        kind.int64_list.value.extend(values)
    else:
        kind.float_list.value.extend(values)


def _text(feature: Any) -> str:
    return str(feature.bytes_list.value[0].decode())


def _whole(feature: Any) -> int:
    return int(feature.int64_list.value[0])


def _number(feature: Any) -> float:
    return float(feature.float_list.value[0])


_OPTIONAL = ("certain", "distance", "thumbnail")
_READ: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("sha256", "sent_sha256", "model"), _text),
    **dict.fromkeys(("milliseconds", "version", "certain", "width", "height"), _whole),
    **dict.fromkeys(("distance", "brightness", "contrast", "sharpness"), _number),
    "classes": lambda feature: tuple(each.decode() for each in feature.bytes_list.value),
    "scores": lambda feature: tuple(feature.float_list.value),
    "thumbnail": lambda feature: bytes(feature.bytes_list.value[0]),
}
