"""What a person decides about pictures before the network; a model carries what its own had."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

BYTE = 255


@dataclass(frozen=True)
class PictureSettings:
    """How transparency and 16 bit become 8 bit of RGB or grey, in training and in the client."""

    background: tuple[int, int, int] = (BYTE, BYTE, BYTE)
    """RGB of what lies behind transparent pixels."""
    range: tuple[int, int] | None = None
    """The 16-bit values that become 0 and 255; None: 0 and 65,535, the range of the type."""

    def as_json(self) -> dict[str, Any]:
        """Returns what `of_json` reads, and a person, too."""
        return {
            "background": "#{:02x}{:02x}{:02x}".format(*self.background),
            "range": "type" if self.range is None else list(self.range),
        }

    @classmethod
    def of_json(cls, document: dict[str, Any]) -> PictureSettings:
        """Reads what `as_json` returned; keys that it lacks have their defaults."""
        found = cls()
        if "background" in document:
            red, green, blue = bytes.fromhex(document["background"].removeprefix("#"))
            found = cls((red, green, blue), found.range)
        if isinstance(document.get("range"), list):
            low, high = document["range"]
            found = cls(found.background, (low, high))
        return found

    def encoded(self) -> bytes:
        """Returns the settings as a model's signature hands them to the client."""
        return json.dumps(self.as_json()).encode()

    @classmethod
    def decoded(cls, text: bytes) -> PictureSettings:
        """Reads what `encoded` returned."""
        return cls.of_json(json.loads(text))
