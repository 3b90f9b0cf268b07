"""The settings of a recording: where, how many, how large and how long."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

EVERY = 100
"""One in so many pictures is kept by default."""


@dataclass(frozen=True)
class Recording:
    """Which pictures are kept of those that a model is asked about, and for how long.

    Raises:
        ValueError: a limit under 1, or a thumbnail of a negative size.
    """

    directory: Path
    """Is made, open to its owner alone, if it is not there. Several processes may share it."""
    every: int = EVERY
    """Keeps one in so many pictures, by their own SHA-256: every client and server the same."""
    max_bytes: int = 256 * 2**20
    """Of all files together: the oldest are removed."""
    max_days: int = 30
    """Files older than that are removed when a new one is begun."""
    file_bytes: int = 8 * 2**20
    """A file of that size, or of a day, is closed and a new one begun."""
    thumbnail: int = 0
    """Pixels of the longer side of a JPEG that is kept of each picture; 0: none is."""

    def __post_init__(self) -> None:
        limits = ("every", "max_bytes", "max_days", "file_bytes")
        low = [f"{name}={getattr(self, name)}" for name in limits if getattr(self, name) < 1]
        low += [f"thumbnail={self.thumbnail}"] if self.thumbnail < 0 else []
        if low:
            raise ValueError(f"Limits of a recording that are too small: {', '.join(low)}")

    @classmethod
    def of(cls, record: Recording | Path | str | None) -> Recording | None:
        """Returns the recording that a folder stands for; None for none."""
        return record if record is None or isinstance(record, cls) else cls(Path(str(record)))
