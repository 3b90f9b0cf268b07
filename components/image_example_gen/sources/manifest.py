"""A CSV manifest: `path,label[,split][,group]`, a picture per row."""

from __future__ import annotations

import collections
import csv
import dataclasses
import io
import posixpath
from collections.abc import Iterable

from components.errors import ConfigError, DataError
from components.files import read_bytes, view
from components.files.entries import Entry, View, as_text
from components.files.paths import is_remote, scheme
from components.image_example_gen.sources.layouts import SPLIT_NAMES
from components.image_example_gen.sources.listing import Listing, SourceFile

_NEEDED, _OPTIONAL = ("path", "label"), ("split", "group")
_SHOWN_FAULTS = 10


@dataclasses.dataclass(frozen=True)
class Row:
    """One row, read."""

    path: str  # absolute
    label: str
    split: str | None
    group: str | None
    columns: tuple[tuple[str, str], ...] = ()  # names and values of all others that are not empty


class _Fault(ValueError):
    """A fault of one row."""


def read_manifest(path: str, known: View | None = None) -> Listing:
    """Lists a manifest's pictures. Those that are not there are listed, and rejected when read.

    Args:
      path: absolute.
      known: a view of the manifest's folder, if there is one already.

    Raises:
      ConfigError: the manifest can't be read.
      DataError: columns or values are wrong, with the lines' numbers.
    """
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(f"data.source: {path} can't be read ({reason}).") from error
    except UnicodeDecodeError as error:
        raise DataError(f"data.source: {path} is not UTF-8 ({error}). Save it as UTF-8.") from error
    rows, repeated = parse(text, path)
    folder = posixpath.dirname(path)
    if known and all(row.path.startswith(f"{folder}/") for row in rows):
        views = {_store(path): known}
    else:
        views = _views(row.path for row in rows)
    files = [_file(row, folder, views[_store(row.path)]) for row in rows]
    notes = [f"{path}: {repeated} rows repeat another."] if repeated else []
    return Listing(files, sorted({row.label for row in rows}), repeated, notes)


def parse(text: str, path: str) -> tuple[list[Row], int]:
    """Returns the rows of the manifest with this absolute path, and how many repeat another.

    One file under two labels makes two rows: a conflict, which is reported when it is read.

    Raises:
      DataError: columns or values are wrong, with the lines' numbers.
    """
    reader = csv.DictReader(io.StringIO(text, newline=""), restval="", skipinitialspace=True)
    lines: dict[tuple[str, str], tuple[int, Row]] = {}
    faults, repeated = [], 0
    try:
        _check_columns(reader, path)
        for cells in reader:
            try:
                row = _row(cells, posixpath.dirname(path))
                first, known = lines.setdefault((row.path, row.label), (reader.line_num, row))
                if known != row:
                    raise _Fault(
                        f"another split, group or column than in line {first} for {row.path!r}"
                    )
                repeated += first != reader.line_num
            except _Fault as fault:
                faults.append(f"\n  line {reader.line_num}: {fault}")
    except csv.Error as error:
        raise DataError(f"data.source: {path}, line {reader.reader.line_num}: {error}.") from error
    if faults:
        more = f"\n  and {len(faults) - _SHOWN_FAULTS} more" if faults[_SHOWN_FAULTS:] else ""
        raise DataError(f"data.source: {path}{''.join(faults[:_SHOWN_FAULTS])}{more}")
    return [row for _, row in lines.values()], repeated


def _check_columns(reader: csv.DictReader[str], path: str) -> None:
    names = [name.strip().lower() for name in reader.fieldnames or []]
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise DataError(
            f"data.source: {path}, line 1: no column {' and no column '.join(missing)}; found "
            f"{', '.join(names) or 'nothing'}. The first line names the columns, comma between: "
            f"{','.join(_NEEDED)}, and if you like {','.join(_OPTIONAL)}."
        )
    reader.fieldnames = names


def _row(cells: dict[str, str], folder: str) -> Row:
    values = {name: (cells.get(name) or "").strip() for name in (*_NEEDED, *_OPTIONAL)}
    empty = [name for name in _NEEDED if not values[name]]
    if empty:
        raise _Fault(f"empty {' and '.join(empty)}")
    split = values["split"].lower()
    if split and split not in SPLIT_NAMES:
        raise _Fault(
            f"unknown split {values['split']!r}; allowed are {', '.join(SPLIT_NAMES)}, or nothing"
        )
    path = _absolute(values["path"], folder)
    others = tuple(
        (name, value.strip())
        for name, value in cells.items()
        if isinstance(value, str) and value.strip() and name and name not in values
    )
    return Row(path, values["label"], SPLIT_NAMES.get(split), values["group"] or None, others)


def _absolute(path: str, folder: str) -> str:
    if is_remote(path) or posixpath.isabs(path):
        return path
    below = posixpath.normpath(path)
    if below.split("/")[0] == "..":
        raise _Fault(f"{path!r} leaves the manifest's folder; make it absolute if that is meant")
    return posixpath.join(folder, below)


def _views(paths: Iterable[str]) -> dict[str, View]:
    """Returns a view for each store: of the folder that all pictures in it share, listed once."""
    folders = collections.defaultdict(set)
    for path in paths:
        store = _store(path)
        folders[store].add(posixpath.dirname(path.removeprefix(store)))
    return {store: view(store + posixpath.commonpath(found)) for store, found in folders.items()}


def _store(path: str) -> str:
    """`scheme://bucket` of a remote path, nothing of a local one."""
    if not is_remote(path):
        return ""
    start = f"{scheme(path)}://"
    return start + path.removeprefix(start).partition("/")[0]


def _file(row: Row, folder: str, pictures: View) -> SourceFile:
    entry = pictures.entry(row.path) or Entry(row.path, row.path, 0, 0)
    name = as_text(row.path.removeprefix(f"{folder}/"))
    return SourceFile(
        entry.path,
        name,
        row.label,
        entry.size,
        entry.modified,
        row.split,
        row.group,
        below=name,
        columns=row.columns,
    )
