"""Which of a manifest's columns is which, by the names that people and programs give them."""

from __future__ import annotations

import collections
import re

from components.errors import ConfigError, DataError
from components.settings.data import Columns
from serving.names import quoted, shown

NEEDED, OPTIONAL = ("path", "label"), ("split", "group")

_USUAL = {
    "path": (
        *("path", "file", "filename", "filepath", "image", "imagepath", "imagefile", "imagename"),
        *("imagefilename", "img", "imgpath", "imgname", "imgfile", "picture", "photo", "uri"),
        *("imageuri", "relativepath", "fullpath", "filepaths", "filenames", "images", "imagepaths"),
    ),
    "label": (
        *("label", "class", "classname", "labelname", "category", "categoryname", "target", "tag"),
        *("groundtruth", "annotation", "classlabel", "imagelabel", "labeltext", "labels"),
    ),
    "split": ("split", "set", "subset", "partition", "datasplit", "dataset", "datasetsplit"),
    "group": ("group", "groupid"),
}
"""The names that are recognised, as `normal` returns them, the project's own first."""


def normal(name: str) -> str:
    """Returns a column's name as it is compared: `File Name` and `file_name` are `filename`."""
    return re.sub(r"[\s_-]+", "", name.lower())


def fits(header: list[str], columns: Columns) -> bool:
    """Checks whether a header names the columns that are needed."""
    names = {normal(name) for name in header}
    return all(
        normal(asked) in names if (asked := getattr(columns, role)) else names & {*_USUAL[role]}
        for role in NEEDED
    )


def positions(header: list[str], columns: Columns, path: str) -> dict[str, int]:
    """Returns the position of each role's column: `path`, `label`, and what there is of the others.

    Args:
      header: the names in the first line.
      columns: the names that the configuration gives.
      path: of the manifest, for messages.

    Raises:
      ConfigError: the configuration names a column that is not there.
      DataError: a column is missing, is there twice, or several could be meant.
    """
    _check_unique(header, path)
    found = {}
    for role in (*NEEDED, *OPTIONAL):
        at = _position(role, header, columns, path)
        if at is not None:
            found[role] = at
    if missing := [role for role in NEEDED if role not in found]:
        raise DataError(_missing(missing, header, path))
    return found


def renamed(header: list[str], found: dict[str, int], path: str) -> list[str]:
    """Returns a sentence about columns that were recognised by another name than the project's."""
    others = [
        f"{shown(header[at])} as {role}" for role, at in found.items() if header[at].lower() != role
    ]
    return [f"{shown(path)}: read {', '.join(others)}."] if others else []


def _check_unique(header: list[str], path: str) -> None:
    counts = collections.Counter(name.lower() for name in header if name)
    if twice := [name for name, count in counts.items() if count > 1]:
        places = [str(at) for at, name in enumerate(header, start=1) if name.lower() == twice[0]]
        raise DataError(
            f"data.source: {shown(path)}, line 1: column {quoted(twice[0])} is named "
            f"{counts[twice[0]]} times (columns {', '.join(places)}). Rename or remove all but one."
        )


def _position(role: str, header: list[str], columns: Columns, path: str) -> int | None:
    names = [normal(name) for name in header]
    asked: str | None = getattr(columns, role)
    if asked:
        if normal(asked) not in names:
            listed = ", ".join(shown(name) for name in header[:20])
            raise ConfigError(
                f"data.columns.{role}: found {asked!r}, but the columns of {shown(path)} are "
                f"{listed}. Name one of these."
            )
        return names.index(normal(asked))
    if role in names:
        return names.index(role)
    could_be = [at for at, name in enumerate(names) if name in _USUAL[role]]
    if len(could_be) > 1 and role in NEEDED:
        listed = " and ".join(shown(header[at]) for at in could_be)
        raise DataError(
            f"data.source: {shown(path)}, line 1: {listed} could each be the {role}. Say which, "
            f"as in data.columns={{{role}: {shown(header[could_be[0]])}}}."
        )
    return could_be[0] if len(could_be) == 1 else None


def _missing(missing: list[str], header: list[str], path: str) -> str:
    found = ", ".join(shown(name) for name in header[:20]) or "nothing"
    usual = "; ".join(f"{role} ({', '.join(_USUAL[role][:6])}, ...)" for role in missing)
    example = ", ".join(f"{role}: NAME" for role in missing)
    return (
        f"data.source: {shown(path)}, line 1: no column {' and no column '.join(missing)}; found "
        f"{found}. The first line names the columns, with a comma, semicolon or tab between; "
        f"recognised are {usual}. Other names: data.columns={{{example}}}. A column for each class "
        "is not read: a picture is of one class, which one column names."
    )
