"""A person's settings of pictures before the network; a model carries those of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

BYTE = 255
MAX_PIXELS = 64_000_000
"""Height x width allowed by default; 192 MB once decoded."""
LEAST_SIDE = 720
"""More than all but a few networks read."""
OUTPUT = "picture_settings"
"""Of the signature `serving_default`, where a model's settings are not the default ones."""


COLOURS = {
    "white": "#ffffff",
    "silver": "#c0c0c0",
    "gray": "#808080",
    "grey": "#808080",
    "black": "#000000",
    "red": "#ff0000",
    "lime": "#00ff00",
    "green": "#008000",
    "blue": "#0000ff",
    "yellow": "#ffff00",
    "aqua": "#00ffff",
    "fuchsia": "#ff00ff",
    "maroon": "#800000",
    "olive": "#808000",
    "navy": "#000080",
    "purple": "#800080",
    "teal": "#008080",
}
"""The basic names of colours on the web (CSS), as #rrggbb."""


def rgb(colour: str) -> tuple[int, int, int]:
    """Returns red, green and blue, 0 to 255, of a name or #rrggbb.

    Raises:
        ValueError: neither of them.
    """
    text = COLOURS.get(colour.lower(), colour)
    if len(text) != 7 or text[0] != "#" or not text.isascii():
        raise ValueError(f"{colour} is no colour")
    red, green, blue = bytes.fromhex(text[1:])
    return red, green, blue


@dataclass(frozen=True)
class PictureSettings:
    """How transparency and 16 bit become 8 bit of RGB or grey, in training and in the client."""

    background: tuple[int, int, int] = (BYTE, BYTE, BYTE)
    """RGB of what lies behind transparent pixels."""
    range: tuple[int, int] | None = None
    """The 16-bit values that become 0 and 255; None: 0 and 65,535, the range of the type."""
    least_side: int = LEAST_SIDE
    """Pixels of the shorter side that a photograph keeps when it has to be encoded anew. A 12
    megapixel photo at its full size would take ten times the time of its decoding."""

    def as_json(self) -> dict[str, Any]:
        """Returns what `of_json` reads, and a person, too."""
        return {
            "background": "#{:02x}{:02x}{:02x}".format(*self.background),
            "range": "type" if self.range is None else list(self.range),
            "least_side": self.least_side,
        }

    @classmethod
    def of_json(cls, document: dict[str, Any]) -> PictureSettings:
        """Reads what `as_json` returned; keys that it lacks have their defaults."""
        found: dict[str, Any] = {}
        if "background" in document:
            found["background"] = rgb(document["background"])
        if isinstance(document.get("range"), list):
            found["range"] = tuple(document["range"])
        return cls(**found, least_side=document.get("least_side", LEAST_SIDE))

    def encoded(self) -> bytes:
        """Returns the settings as a model's signature hands them to the client."""
        return json.dumps(self.as_json()).encode()

    @classmethod
    def decoded(cls, text: bytes) -> PictureSettings:
        """Reads what `encoded` returned."""
        return cls.of_json(json.loads(text))


DEFAULT = PictureSettings()
"""Those of a model that does not say otherwise."""
