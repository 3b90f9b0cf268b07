"""Whether a version's folder has the files that every server needs. Imports nothing heavy."""

from __future__ import annotations

import re
from pathlib import Path

_SHARD = re.compile(r"variables\.data-\d{5}-of-(\d{5})")


def missing(folder: Path) -> str | None:
    """Returns what a SavedModel's folder lacks; None where its files are there.

    That they can be served, only `serving.session_trial` finds out.
    """
    if not any((folder / name).is_file() for name in ("saved_model.pb", "saved_model.pbtxt")):
        return "no saved_model.pb"
    variables = folder / "variables"
    return _missing_variables(variables) if variables.is_dir() else None


def _missing_variables(folder: Path) -> str | None:
    names = [file.name for file in folder.iterdir() if file.stat().st_size]
    shards = [match for name in names if (match := _SHARD.fullmatch(name))]
    if shards and "variables.index" not in names:
        return "no variables/variables.index, or it is empty"
    if "variables.index" in names and len(shards) < max((int(m[1]) for m in shards), default=1):
        return "files variables/variables.data-* are gone, or empty"
    return None
