"""The facts that a push directory keeps beside its versions, in a file that no server reads."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from serving import atomic_files

GREATEST = 2**63 - 1
"""The greatest number that a server can hold: an int64 (file_system_storage_path_source.cc)."""

FILE = ".versions.json"
"""Its name."""
_BEFORE = ".greatest-version", ".makers.json"  # the same facts, as version 0.1 wrote them

Found = TypeVar("Found")


@dataclass(frozen=True)
class Facts:
    """Facts that the versions' folders do not hold."""

    greatest: int = 0
    """The greatest number ever taken: pruning forgets folders, their numbers stay taken."""
    makers: dict[int, str] = field(default_factory=dict)
    """By number, the run that published it."""
    withdrawn: frozenset[int] = frozenset()
    """Versions that labels have left, whose folders still have their names: a server that has not
    read `models.config` yet would lose them."""


def exist(model_dir: Path) -> bool:
    """Checks whether a push has ever been made into the directory."""
    return any((model_dir / name).is_file() for name in (FILE, *_BEFORE))


def read(model_dir: Path) -> Facts:
    """Returns the facts; none of those whose file is missing or damaged.

    Without them, numbers follow from the versions that are there and the time, and a run that was
    killed amid its push pushes anew.
    """
    if os.path.lexists(model_dir / FILE):
        return _read(model_dir / FILE, _facts, Facts())
    greatest, makers = (model_dir / name for name in _BEFORE)
    return Facts(_read(greatest, _number, 0), _read(makers, _makers, {}))


def write(model_dir: Path, facts: Facts) -> None:
    """Writes the facts, all of them or nothing; the caller is the directory's one writer.

    A folder in place of the file is put aside, under a name with `.damaged` at its end.
    """
    document = {
        "greatest": facts.greatest,
        "makers": facts.makers,
        "withdrawn": sorted(facts.withdrawn),
    }
    if (model_dir / FILE).is_dir():
        atomic_files.put_aside(model_dir / FILE, ".damaged")
    atomic_files.write(model_dir / FILE, json.dumps(document, indent=1))
    for name in _BEFORE:
        (model_dir / name).unlink(missing_ok=True)


def _read(path: Path, parse: Callable[[Any], Found], missing: Found) -> Found:
    """Returns what a file holds; `missing` where there is none, or it is damaged, which is said."""
    try:
        if not os.path.lexists(path):
            return missing
        if not path.is_file():  # reading a pipe would never end
            raise ValueError("it is no file")
        return parse(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        logging.warning(
            "%s is damaged (%s): it is made anew from the versions that are there", path, error
        )
        return missing


def _facts(found: Any) -> Facts:
    withdrawn = frozenset(_number(number) for number in found.get("withdrawn", ()))
    return Facts(_number(found["greatest"]), _makers(found["makers"]), withdrawn)


def _number(found: Any) -> int:
    number = int(found) if isinstance(found, str) else found
    if type(number) is not int or not 0 <= number <= GREATEST:
        raise ValueError(f"{found} is no number of a version")
    return number


def _makers(found: Any) -> dict[int, str]:
    return {_number(number): str(maker) for number, maker in found.items()}
