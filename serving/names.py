"""Names of files and classes as people can read them. Here alone they are made safe to show.

A name may hold anything: bytes that are no UTF-8, line breaks, sequences that steer a terminal,
marks that turn the direction of writing. Whoever shows it escapes it by `shown`; what programs read
(JSON, the artifacts) has it as it is, or by `as_text` where UTF-8 can't write it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
"""Unicode's categories of what steers, turns, joins, or has no form of its own to be seen."""

_FORMULA = ("=", "+", "-", "@")
"""The signs that a spreadsheet takes for the beginning of a formula (OWASP, CSV injection)."""

_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def as_text(name: str) -> str:
    """Returns a name as UTF-8 can write it: a byte that is none, as 0xE9, stands as `\\udce9`."""
    return name.encode("utf-8", "backslashreplace").decode()


def composed(name: str) -> str:
    """Returns a name with its letters composed: `é` as one sign (Unicode's NFC)."""
    return unicodedata.normalize("NFC", name)


def other_forms(name: str) -> Iterator[str]:
    """Yields the name with its letters composed, and decomposed: `é` may be one sign or two."""
    if not name.isascii():
        yield composed(name)
        yield unicodedata.normalize("NFD", name)


def shown(text: object) -> str:
    """Returns one line of text in which what can't be seen is escaped, as `\\n` or `\\u202e`."""
    name = as_text(str(text))
    if name.isascii() and name.isprintable():
        return name
    return "".join(map(_escaped, name))


def quoted(text: object) -> str:
    """Returns a name between quotes, as `shown` returns it: `repr` would escape it again."""
    return f"'{shown(text)}'"


def shown_lines(text: object) -> str:
    """Returns a text of several lines, each as `shown` returns it."""
    return "\n".join(map(shown, str(text).split("\n")))


def some(names: Iterable[str], most: int = 10) -> str:
    """Returns the first of the names, joined by commas, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


def cell(text: object) -> str:
    """Returns a text for a cell of a CSV file, which no spreadsheet runs as a formula."""
    name = shown(text)
    return f"'{name}" if name.lstrip().startswith(_FORMULA) else name


def _escaped(sign: str) -> str:
    if unicodedata.category(sign) not in _UNSEEN:
        return sign
    if sign in _SHORT:
        return _SHORT[sign]
    code = ord(sign)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
