"""The cells of a manifest: CSV with any usual separator and encoding, or a sheet of a workbook."""

from __future__ import annotations

import codecs
import csv
import dataclasses
import datetime
import io
import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from components.errors import ConfigError, DataError
from components.files import read_bytes
from components.packed import Compressed
from serving.names import shown

SUFFIXES = (".csv", ".tsv", ".xlsx")

_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "|"}
_SEPARATOR_LINE = re.compile(r"sep=([^\r\n])(?:\r\n?|\n)", re.IGNORECASE)  # Excel's own first line
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
_ZIP = b"PK\x03\x04"  # how a workbook begins


class Line(NamedTuple):
    """A row of a table."""

    number: int
    """Of the line that it begins in, from 1."""
    cells: list[str]


@dataclasses.dataclass(frozen=True)
class Table:
    """A header, empty in an empty file, and the rows below it that are not wholly empty.

    Attributes:
      header: as it is written, without spaces around the names.
      rows: all others.
      separator: what stands between cells; of a workbook a comma.
      notes: sentences about how it was read.
    """

    header: list[str]
    rows: Sequence[Line]
    separator: str
    notes: list[str]


def is_manifest(path: str) -> bool:
    """Checks whether a path is that of a manifest, by its suffix."""
    return path.lower().endswith(SUFFIXES)


def read_table(key: str, path: str, fits: Callable[[list[str]], bool]) -> Table:
    """Returns the cells of a manifest's file.

    Args:
      key: of the configuration, which names the file, for messages.
      path: absolute.
      fits: whether a header names the columns that are needed; it decides on the separator.

    Raises:
      ConfigError: it can't be read, or is a workbook and openpyxl is not installed.
      DataError: it is damaged, in no usual encoding, or a quote swallows rows.
    """
    where = f"{key}: {shown(path)}"
    try:
        content = read_bytes(path)
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(f"{where} can't be read ({reason}). Name a file that can.") from error
    if content.startswith(_ZIP):
        notes, separator = list[str](), ","
        lines = _workbook(content, path, where)
    else:
        text, notes = _decoded(content, path, where)
        separator, text, first = _separator(text, path, fits)
        lines = _csv(text, separator, where, first)
    stripped = (Line(number, [cell.strip() for cell in cells]) for number, cells in lines)
    filled = (line for line in stripped if any(line.cells))
    header = next(filled, Line(1, [])).cells
    return Table(header, Compressed(Line, filled), separator, notes)


def _decoded(content: bytes, path: str, where: str) -> tuple[str, list[str]]:
    """Returns the text, and a note where the encoding had to be guessed."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    elif content[1:2] == b"\0" or content[:1] == b"\0":  # of ASCII every second byte is 0
        encodings = ["utf-16-le" if content[1:2] == b"\0" else "utf-16-be"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        note = f"{shown(path)} is not UTF-8: read as cp1252 (Windows, western Europe)."
        return text.lstrip("\ufeff"), [note] if encoding == "cp1252" else []
    raise DataError(f"{where} is neither UTF-8, UTF-16 nor cp1252. Save it as UTF-8.")


def _separator(text: str, path: str, fits: Callable[[list[str]], bool]) -> tuple[str, str, int]:
    """Returns the separator, the text below a line `sep=;`, and the number of its first line."""
    if match := _SEPARATOR_LINE.match(text):
        return match[1], text[match.end() :], 2
    first = next((line for line in _lines(text) if line.strip()), "")
    headers = {each: _cells(first, each) for each in _SEPARATORS}
    tabs_first = path.lower().endswith(".tsv")
    order = sorted(
        _SEPARATORS,
        key=lambda each: (fits(headers[each]), tabs_first and each == "\t", len(headers[each])),
        reverse=True,
    )
    return order[0], text, 1


def _cells(line: str, separator: str) -> list[str]:
    """Returns a line's cells; none of what is no line of a table, which reading all of it tells."""
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []


def _csv(text: str, separator: str, where: str, first: int) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(_lines(text), delimiter=separator, skipinitialspace=separator != "\t")
    columns, begins = 0, first
    try:
        for cells in reader:
            columns = columns or len(cells)
            ends = reader.line_num + first - 1
            if ends > begins and any(_is_swallowed(cell, separator, columns) for cell in cells):
                raise DataError(
                    f"{where}, line {begins}: a quote opens here and takes the "
                    f"lines up to {ends} into one cell. Close it, or write a quote that is meant "
                    'as one as "" within quotes.'
                )
            yield begins, cells
            begins = ends + 1
    except csv.Error as error:
        raise DataError(
            f"{where}, line {begins}: {error}. Each row is a line with a short "
            "cell per column: close the quote, or save the table as CSV again."
        ) from error


def _lines(text: str) -> Iterator[str]:
    """Yields the lines with their ends; a file in memory would be a copy four times as large."""
    return (match[0] for match in _LINE.finditer(text))


def _is_swallowed(cell: str, separator: str, columns: int) -> bool:
    """Checks whether a cell holds a whole row of its own below its first line."""
    return any(line.count(separator) >= max(1, columns - 1) for line in cell.splitlines()[1:])


def _workbook(content: bytes, path: str, where: str) -> Iterator[tuple[int, list[str]]]:
    """Yields the rows of a workbook's first sheet."""
    try:
        import openpyxl
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{where} is a workbook, and reading one needs the package "
            "openpyxl: pip install 'transfer-pipeline[excel]'. Or save the sheet as CSV."
        ) from error
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        rows = [[_text(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
    except Exception as error:  # of a damaged one zipfile, XML and openpyxl raise what they like
        raise DataError(
            f"{where} can't be read as a workbook ({shown(error)}). Save the "
            f"sheet as CSV: {posixpath.splitext(posixpath.basename(path))[0]}.csv."
        ) from error
    yield from enumerate(rows, start=1)


def _text(value: Any) -> str:
    """Returns a cell as the sheet shows it: 1 and not 1.0, a date without a time of zero."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime):
        at_midnight = value.time() == datetime.time()
        return str(value.date()) if at_midnight else value.isoformat(sep=" ")
    return str(value).upper() if isinstance(value, bool) else str(value)
