"""Reports the progress of a long step through `logging`, so that a component needs no console.

The command adds a handler to `LOGGER` that shows it; without a handler nothing happens.
"""

from __future__ import annotations

import logging

LOGGER = logging.getLogger("transfer_pipeline.progress")
LOGGER.setLevel(logging.INFO)
LOGGER.propagate = False
LOGGER.addHandler(logging.NullHandler())


def report(text: str, done: int | None = None, total: int | None = None) -> None:
    """Reports `done` of `total` units (both may be unknown); `text` names the units."""
    LOGGER.info(text, extra={"done": done, "total": total})


def note(text: str) -> None:
    """Reports what is to be read afterwards, too: it is shown at once on a line of its own."""
    LOGGER.info(text, extra={"done": None, "total": None, "lasting": True})
