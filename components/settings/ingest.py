"""What decides how pictures are ingested: `data`, and those parts of `image` that come first."""

from __future__ import annotations

import contextlib
from typing import Annotated, Any, Literal, Protocol

from PIL import ImageColor
from pydantic import AfterValidator, BeforeValidator

from components.settings.base import AtLeastOne
from components.settings.data import Data
from serving.picture_settings import LEAST_SIDE, PictureSettings

WHITE: Literal["white"] = "white"
TYPE: Literal["type"] = "type"
_MOST = 65535  # of 16 bit


def _colour(value: str) -> str:
    with contextlib.suppress(ValueError):
        if len(ImageColor.getrgb(value)) == len("rgb"):
            return value
    raise ValueError("a colour's name or #rrggbb is needed, as in white, black or '#808080'")


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


class Ingest(Data):
    """Which pictures are read, how they are split, and how they become 8 bit and opaque."""

    background: Colour = WHITE
    range: Range = TYPE
    least_side: AtLeastOne = LEAST_SIDE
    """Pixels of the shorter side that photographs keep when they are encoded anew."""

    @classmethod
    def of(cls, data: Data, image: ImageSettings | None = None) -> Ingest:
        """Returns what counts here of the configuration's sections."""
        if image is None:
            return data if isinstance(data, cls) else cls(**data.model_dump())
        return cls(
            **data.model_dump(),
            background=image.background,
            range=image.range,
            least_side=max([LEAST_SIDE, *(image.size or [])]),
        )

    def pictures(self, measured: tuple[int, int] | None = None) -> PictureSettings:
        """Returns the settings of each picture.

        Args:
          measured: the lowest and the highest value of all 16-bit pictures, where they decide.
        """
        red, green, blue, *_ = ImageColor.getrgb(self.background)
        given = measured if self.range == "data" else self.range
        span = None if given is None or isinstance(given, str) else (given[0], given[1])
        return PictureSettings((red, green, blue), span, self.least_side)
