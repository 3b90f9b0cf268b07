"""How far a long step has come, told through `logging` so that a component needs no console.

Whoever shows progress (the command) adds a handler to `LOGGER`; without one nothing happens.
"""

from __future__ import annotations

import logging

LOGGER = logging.getLogger("transfer_pipeline.progress")
LOGGER.setLevel(logging.INFO)
LOGGER.propagate = False
LOGGER.addHandler(logging.NullHandler())


def report(text: str, done: int | None = None, total: int | None = None) -> None:
    """Tells that `done` of `total` units are finished (both may be unknown); `text` names them."""
    LOGGER.info(text, extra={"done": done, "total": total})
