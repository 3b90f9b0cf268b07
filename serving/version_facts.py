"""The facts that a push directory keeps beside its versions, in a file that no server reads."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path

from serving import atomic_files

_FILE = ".versions.json"
_BEFORE = ".greatest-version", ".makers.json"  # the same facts, as version 0.1 wrote them


@dataclass(frozen=True)
class Facts:
    """Facts that the versions' folders do not hold."""

    greatest: int = 0
    """The greatest number ever taken: pruning forgets folders, their numbers stay taken."""
    makers: dict[int, str] = field(default_factory=dict)
    """By number, the run that published it."""


def read(model_dir: Path) -> Facts:
    """Returns the facts; none of them where the file is missing or damaged.

    Without them, numbers follow from the versions that are there and the time, and a run that was
    killed amid its push pushes anew.
    """
    try:
        if (model_dir / _FILE).exists():
            found = json.loads((model_dir / _FILE).read_text("utf-8"))
            return Facts(int(found["greatest"]), _by_number(found["makers"]))
        greatest, makers = (model_dir / name for name in _BEFORE)
        return Facts(
            int(greatest.read_text()) if greatest.exists() else 0,
            _by_number(json.loads(makers.read_text("utf-8"))) if makers.exists() else {},
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        logging.warning("%s is damaged (%s): it is made anew", model_dir / _FILE, error)
        return Facts()


def write(model_dir: Path, facts: Facts) -> None:
    """Writes the facts, all of them or nothing; the caller is the directory's one writer."""
    document = {"greatest": facts.greatest, "makers": facts.makers}
    atomic_files.write(model_dir / _FILE, json.dumps(document, indent=1))
    for name in _BEFORE:
        (model_dir / name).unlink(missing_ok=True)


def _by_number(makers: dict[str, str]) -> dict[int, str]:
    return {int(number): str(maker) for number, maker in makers.items()}
