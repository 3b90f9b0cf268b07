"""One spelling per class: names of one form, and none that differ by what is hard to see."""

from __future__ import annotations

import collections
import dataclasses
import re
import unicodedata
from collections.abc import Callable, Iterable

from components.errors import MOST_LINES, DataError, listed
from components.image_example_gen.sources.listing import Listing, compressed
from serving.names import composed, quoted

_VARIATION = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")  # selects a form of a sign


def _visible(name: str) -> str:
    """Leaves out what has no form of its own, but tags: England's flag and Wales' differ so."""
    signs = (sign for sign in name if unicodedata.category(sign) != "Cf" or _is_tag(sign))
    return _VARIATION.sub("", "".join(signs))


def _is_tag(sign: str) -> bool:
    return "\U000e0020" <= sign <= "\U000e007f"


def _of_one_width(name: str) -> str:
    return "".join(
        unicodedata.normalize("NFKC", sign)
        if unicodedata.decomposition(sign).startswith(("<wide>", "<narrow>"))
        else sign
        for sign in name
    )


_NAMED = 5  # names of one group
_SAME: dict[str, Callable[[str], str]] = {
    "invisible characters": _visible,
    "width": _of_one_width,
    "spaces": lambda name: "".join(name.split()),
    "case": str.lower,
}
"""Differences between names that are still taken for one, each with what removes it."""


def unified(listing: Listing, allow_similar: bool) -> Listing:
    """Returns the listing with class names in Unicode's composed form (NFC).

    Raises:
      DataError: names differ by case, spaces, width or invisible characters only, and that is not
        allowed.
    """
    written = {*listing.classes, *(file.label for file in listing.files)}
    forms = {name: composed(name) for name in written}
    notes = list(listing.notes)
    if twice := len(written) - len({*forms.values()}):
        notes.append(f"{twice} class names are spelled in two forms of Unicode: read as one (NFC).")
    files = listing.files
    if any(name != form for name, form in forms.items()):
        files = compressed(
            dataclasses.replace(file, label=forms[file.label]) for file in listing.files
        )
    classes = sorted({forms[name] for name in listing.classes})
    if similar := _similar(classes):
        counts = collections.Counter(file.label for file in files)
        lines = [_line(names, counts) for names in similar]
        if not allow_similar:
            raise DataError(
                f"data.source: class names that look like one:{listed(lines)}\nWhere they are one "
                "class, give them one name. Where they are several, set "
                "data.similar_class_names=allow."
            )
        notes.extend(lines[:MOST_LINES])
        if (more := len(lines) - MOST_LINES) > 0:
            notes.append(f"{more} more groups of class names look like one.")
    return dataclasses.replace(listing, files=files, classes=classes, notes=notes)


def _similar(classes: Iterable[str]) -> list[list[str]]:
    by_key: dict[str, list[str]] = collections.defaultdict(list)
    for name in classes:
        by_key[_key(name)].append(name)
    return [names for names in by_key.values() if len(names) > 1]


def _key(name: str, without: str | None = None) -> str:
    """Returns a name without differences that are hard to see, `without` excepted."""
    for what, same in _SAME.items():
        if what != without:
            name = same(name)
    return name


def _line(names: list[str], counts: collections.Counter[str]) -> str:
    by = [what for what in _SAME if len({_key(name, what) for name in names}) > 1]
    every = " and ".join(f"{quoted(name)} ({counts[name]} pictures)" for name in names[:_NAMED])
    if (more := len(names) - _NAMED) > 0:
        every += f" and {more} more"
    return f"{every} differ by {' and '.join(by) or 'form'} only."
