"""A manifest: `path,label[,split][,group]` in CSV or a workbook, a picture per row."""

from __future__ import annotations

import collections
import posixpath
from collections.abc import Collection, Iterable, Iterator, Sequence

from components.errors import DataError, listed
from components.files import view
from components.files.entries import View, as_text
from components.files.paths import is_remote, scheme
from components.image_example_gen.sources import manifest_columns
from components.image_example_gen.sources.layouts import SPLIT_NAMES, is_picture
from components.image_example_gen.sources.listing import Listing, SourceFile, compressed
from components.image_example_gen.sources.manifest_columns import NEEDED
from components.image_example_gen.sources.manifest_paths import Located, entry_of
from components.image_example_gen.sources.manifest_rows import Row, merged
from components.image_example_gen.sources.manifest_table import Table, is_manifest, read_table
from components.packed import Compressed
from components.settings.data import Columns
from serving.names import composed, quoted, shown

__all__ = ["is_manifest", "read_manifest"]

_USUAL = Columns()
_MANY, _LEAST = 0.1, 5  # pictures with several labels that are no slip of the pen: fraction, number


class _Fault(ValueError):
    """A fault of one row."""


def read_manifest(
    path: str,
    known: View | None = None,
    *,
    columns: Columns = _USUAL,
    read: Collection[str] = (),
) -> Listing:
    """Lists a manifest's pictures. Those that are not there are listed, and rejected when read.

    Args:
      path: absolute.
      known: a view of the manifest's folder, if there is one already.
      columns: what the columns are called.
      read: the names of further columns that decide on more than slices of the gate.

    Raises:
      ConfigError: the manifest can't be read, or has no column that the configuration names.
      DataError: columns or values are wrong, with the lines' numbers.
    """
    table = read_table("data.source", path, lambda header: manifest_columns.fits(header, columns))
    rows, notes = _rows(table, path, columns)
    pictures, repeated, more = merged(rows, path, [name.lower() for name in read])
    _check_labels(pictures, path)
    more += _joined_labels(pictures, path)
    return _listing(pictures, path, known, repeated, [*table.notes, *notes, *more])


def _rows(table: Table, path: str, columns: Columns) -> tuple[Sequence[Row], list[str]]:
    """Returns the rows, and sentences about the columns.

    Raises:
      DataError: with all faults of rows, of which the first ten are shown.
    """
    at = _positions(table, path, columns)
    if not table.rows:
        raise DataError(
            f"data.source: {shown(path)} has a header ({', '.join(map(shown, table.header))}) and "
            "no rows below it. A row for each picture is needed: add them."
        )
    located = Located(
        (cells[at["path"]] for _, cells in table.rows if len(cells) > at["path"]),
        posixpath.dirname(path),
        path,
    )
    faults: list[str] = []

    def read() -> Iterator[Row]:
        for line, cells in table.rows:
            try:
                yield _row(line, cells, at, table, located)
            except ValueError as fault:
                faults.append(f"line {line}: {fault}")

    rows = Compressed(Row, read())
    if faults:
        raise DataError(
            f"data.source: {shown(path)}{listed(faults)}\nEach row needs a path and a label: "
            "correct those lines."
        )
    return rows, manifest_columns.renamed(table.header, at, path)


def _positions(table: Table, path: str, columns: Columns) -> dict[str, int]:
    """Returns the column of each role; one that is only called like a split's has splits alone."""
    at = manifest_columns.positions(table.header, columns, path)
    if "split" in at and not columns.split and table.header[at["split"]].lower() != "split":
        values = {cells[at["split"]].lower() for _, cells in table.rows if len(cells) > at["split"]}
        if values - {""} - SPLIT_NAMES.keys():
            del at["split"]
    return at


def _row(line: int, cells: list[str], at: dict[str, int], table: Table, located: Located) -> Row:
    surplus = [cell for cell in cells[len(table.header) :] if cell]
    if surplus:
        raise _Fault(
            f"{len(cells)} cells, but the header names {len(table.header)} columns; a value with "
            f"{table.separator!r} in it needs quotes around it"
        )
    cells = [*cells, *[""] * (len(table.header) - len(cells))]
    text = cells[at["path"]]  # as it is: files are called so
    cells = [composed(cell) for cell in cells]
    values = {role: cells[position] for role, position in at.items()}
    if empty := [role for role in NEEDED if not values[role]]:
        raise _Fault(f"empty {' and '.join(empty)}")
    if is_picture(values["label"]):
        raise _Fault(
            f"the label {quoted(values['label'])} is a file's name; a path with "
            f"{table.separator!r} in it needs quotes around it"
        )
    split = values.get("split", "")
    if split and split.lower() not in SPLIT_NAMES:
        raise _Fault(
            f"unknown split {quoted(split)}; allowed are {', '.join(SPLIT_NAMES)}, or nothing"
        )
    others = tuple(
        (name.lower(), cell)
        for position, (name, cell) in enumerate(zip(table.header, cells, strict=False))
        if name and cell and position not in at.values()
    )
    return Row(
        line=line,
        text=text,
        path=located.path(text),
        labels=(values["label"],),
        split=SPLIT_NAMES.get(split.lower()),
        group=values.get("group") or None,
        columns=others,
    )


def _check_labels(pictures: Sequence[Row], path: str) -> None:
    """Refuses a manifest in which several labels of a picture are the rule.

    Raises:
      DataError: more than a tenth of the pictures have several.
    """
    several = sum(len(row.labels) > 1 for row in pictures)
    if several >= max(_LEAST, _MANY * len(pictures)):
        first = next(row for row in pictures if len(row.labels) > 1)
        labels = " and ".join(quoted(label) for label in first.labels)
        raise DataError(
            f"data.source: {shown(path)}: {several} of {len(pictures)} pictures have several "
            f"labels, as {shown(first.text)} ({labels}). Several labels per picture are not "
            "supported: a picture is of one class. Give each one row, with the label that counts."
        )


def _joined_labels(pictures: Sequence[Row], path: str) -> list[str]:
    """Returns a sentence where labels as `cat|dog` look like several, of which each is there."""
    labels = {row.labels[0] for row in pictures}
    for sign in "|;":
        parts = {label: [part.strip() for part in label.split(sign)] for label in labels}
        joined = sorted(each for each in labels if len(parts[each]) > 1 and labels & {*parts[each]})
        if joined:
            return [
                f"{shown(path)}: {len(joined)} labels as {quoted(joined[0])} are each read as one "
                "class: several labels per picture are not supported."
            ]
    return []


def _listing(
    rows: Sequence[Row], path: str, known: View | None, repeated: int, notes: list[str]
) -> Listing:
    folder = posixpath.dirname(path)
    if known and all(row.path.startswith(f"{folder}/") for row in rows):
        views = {_store(path): known}
    else:
        views = _views(row.path for row in rows)
    files = compressed(_file(row, folder, views[_store(row.path)]) for row in rows)
    classes = {row.labels[0] for row in rows if len(row.labels) == 1}
    if repeated:
        notes = [*notes, f"{shown(path)}: {repeated} rows repeat another."]
    places = () if any(map(is_remote, [path, *views])) else (path, *views[""].asked)
    return Listing(files, sorted(classes), repeated, notes, places=places)


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
    entry = entry_of(row.path, pictures)
    name = as_text(row.path.removeprefix(f"{folder}/"))
    return SourceFile(
        entry.path,
        name,
        row.labels[0],
        entry.size,
        entry.modified,
        row.split,
        row.group,
        below=name,
        columns=row.columns,
        other_labels=row.labels[1:],
    )
