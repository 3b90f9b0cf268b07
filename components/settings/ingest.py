"""The settings of the ingest: `data`, and those parts of `image` that come first."""

from __future__ import annotations

from components.settings.base import AtLeastOne
from components.settings.data import Data
from components.settings.pictures import TYPE, WHITE, Colour, ImageSettings, Range
from serving.picture_settings import LEAST_SIDE, PictureSettings, rgb


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
        given = measured if self.range == "data" else self.range
        span = None if given is None or isinstance(given, str) else (given[0], given[1])
        return PictureSettings(rgb(self.background), span, self.least_side)
