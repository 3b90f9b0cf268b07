"""`data.corrections`: a table of pictures and the labels that a person gave them.

A row names a picture by its path, as the report does, or by the SHA-256 of its file, which keeps
holding when the file is moved. A label of a class puts the picture into it, also where it is there
already: then a person has confirmed it. No label, or `-`, leaves the picture out.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection

from components.errors import DataError, listed
from components.files.entries import as_text
from components.files.paths import absolute
from components.image_example_gen.sources.manifest_table import Line, Table, read_table
from serving.names import composed, quoted, shown, some

LEFT_OUT = ""
"""The label of a picture that is left out."""

_PATHS = ("path", "file", "filename", "image", "picture")
_DIGESTS = ("sha256", "sha-256", "image/sha256")
_LABELS = ("label", "class")
_SHA256 = re.compile("[0-9a-fA-F]{64}")


def read_corrections(path: str, classes: Collection[str]) -> dict[str, str]:
    """Returns the labels of pictures, each by a path or by a SHA-256 in hexadecimal.

    Args:
      path: of a manifest with the columns `path` or `sha256` (of both, `sha256` counts) and
        `label`; others are ignored. Without such a header, the first column names the picture and
        the second one its label.
      classes: the allowed labels.

    Raises:
      ConfigError: the file can't be read.
      DataError: a row names no picture, an unknown class, or another label than an earlier row.
    """
    path = absolute(path)
    table = read_table("data.corrections", path, lambda header: _positions(header) is not None)
    found: dict[str, str] = {}
    faults = []
    for line, key, label in _rows(table, path):
        label = composed(label)
        if label.startswith("'") and label not in classes:
            label = label[1:]  # which `doubts` puts before what a spreadsheet would run
        label = LEFT_OUT if label == "-" and "-" not in classes else label
        if not key:
            faults.append(f"line {line}: no path and no SHA-256")
        elif label != LEFT_OUT and label not in classes:
            faults.append(f"line {line}: unknown class {quoted(label)}")
        elif found.setdefault(key, label) != label:
            faults.append(f"line {line}: another label than in an earlier line for {shown(key)}")
    if faults:
        raise DataError(
            f"data.corrections: {shown(path)}{listed(faults)}\nAllowed labels are the classes of "
            f"data.source ({some(map(shown, sorted(classes)))}), and - or none, which leaves a "
            "picture out. Correct those lines."
        )
    return found


def _rows(table: Table, path: str) -> list[tuple[int, str, str]]:
    """Returns of each row its line, what names the picture, and the label as written."""
    at = _positions(table.header)
    rows = table.rows
    if at is None:
        if len(table.header) not in (0, 2):
            raise DataError(
                f"data.corrections: {shown(path)} has the columns "
                f"{', '.join(map(shown, table.header))}; `path` or `sha256`, and `label` are "
                "needed. Name the columns so."
            )
        rows = [Line(1, table.header), *rows] if table.header else []
        at = {"path": 0, "label": 1}
    found = []
    for line, cells in rows:
        values = {role: cells[column] for role, column in at.items() if column < len(cells)}
        name = values.get("sha256") or values.get("path", "")
        found.append((line, _key(name), values.get("label", "")))
    return found


def _positions(header: list[str]) -> dict[str, int] | None:
    names = [name.lower() for name in header]
    roles = {"path": _PATHS, "sha256": _DIGESTS, "label": _LABELS}
    at = {
        role: next(names.index(name) for name in known if name in names)
        for role, known in roles.items()
        if not {*known}.isdisjoint(names)
    }
    return at if "label" in at and len(at) > 1 else None


def _key(name: str) -> str:
    if _SHA256.fullmatch(name):
        return name.lower()
    return as_text(posixpath.normpath(name)) if name else ""
