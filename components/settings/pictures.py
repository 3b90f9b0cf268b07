"""The types of the keys of `image` that decide how pictures become 8 bit and opaque."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Protocol

from pydantic import AfterValidator, BeforeValidator

from serving.picture_settings import COLOURS, rgb

WHITE: Literal["white"] = "white"
TYPE: Literal["type"] = "type"
_MOST = 65535  # of 16 bit


def _colour(value: str) -> str:
    try:
        rgb(value)
    except ValueError as error:
        raise ValueError(f"'#rrggbb' or a colour's name is needed: {', '.join(COLOURS)}") from error
    return value


Colour = Annotated[str, AfterValidator(_colour)]


def _range(value: Any) -> Any:
    if value in ("type", "data"):
        return value
    numbers = value if isinstance(value, list) else []
    whole = len(numbers) == 2 and all(type(number) is int for number in numbers)
    if not whole or not 0 <= numbers[0] < numbers[1] <= _MOST:
        raise ValueError(
            f"type, data or [low, high] is needed, with 0 <= low < high <= {_MOST}, as in [0, 4095]"
        )
    return value


Range = Annotated[Literal["type", "data"] | list[int], BeforeValidator(_range)]


class ImageSettings(Protocol):
    """The parts of the section `image` that the ingest reads."""

    @property
    def size(self) -> list[int] | None: ...

    @property
    def background(self) -> str: ...

    @property
    def range(self) -> Literal["type", "data"] | list[int]: ...
