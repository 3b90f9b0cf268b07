"""Names that look like groups: frames of a scene, tiles of a photograph, visits of a patient."""

from __future__ import annotations

import collections
import itertools
import posixpath
import re
from collections.abc import Iterable
from typing import NamedTuple

from components.image_example_gen.sources.listing import Listing, SourceFile

_WORDS = ["frame", "tile", "patch", "crop", "slice", "shot", "view", "aug", "copy", "part", "page"]
_EXPRESSIONS = (
    r"^(.+?)[/_-]?r\d+[_-]?c\d+",  # photo_r0256c0192: row and column
    r"^(.+?)[/_-]?x\d+[_-]?y\d+",
    r"^(.+?)[/_-](?:row|y)[_-]?\d+[_-](?:col|x)[_-]?\d+",
    *(rf"^(.+?)[/_-]?{word}[_-]?\d+" for word in _WORDS),
    r"^(.+?)[_-]\d+[_-]\d+\.[^.]+$",  # photo_256_192.png
    r"^(.*\d.*?)[_-][a-zA-Z]?\d+\.[^.]+$",  # patient12_3.png, but not IMG_0001.png
)
_MATCHING = 0.9  # the share of names that have to match
_FEWEST, _LARGEST = 4, 0.34  # groups, and the share of pictures that the largest may have
_MEAN = 2.0  # pictures to a group
_TRIED = 100_000  # names, by which it is seen whether an expression is worth trying on all


class NameGroups(NamedTuple):
    """Groups that the names of files look like."""

    expression: str  # for `data.group_by`
    names: int  # that match it
    groups: int
    example: str  # a path in a group of several
    group: str  # that one


def offered(listing: Listing) -> list[str]:
    """Returns a sentence with the expression to use where the names look like groups."""
    if (found := find(listing)) is None:
        return []
    return [
        f"{found.names} of {len(listing.files)} names look like parts of {found.groups} "
        f"groups, as {found.example} of {found.group}: parts of one thing "
        "in several splits make the accuracy too good. To keep them together: "
        f"--set 'data.group_by={found.expression}'"
    ]


def find(listing: Listing) -> NameGroups | None:
    """Returns the groups that the names look like; None where they look like none or are given."""
    if not listing.files or any(file.group or file.split for file in listing.files):
        return None
    some = [_path(file) for file in itertools.islice(listing.files, _TRIED)]
    for expression in _EXPRESSIONS:
        if not _are_groups(_sizes(some, expression), len(some)):
            continue
        sizes = _sizes(map(_path, listing.files), expression)
        if _are_groups(sizes, len(listing.files)):
            search = re.compile(expression).search
            path, group = next(
                (path, match[1])
                for path in map(_path, listing.files)
                if (match := search(path)) and sizes[match[1]] > 1
            )
            return NameGroups(expression, sizes.total(), len(sizes), path, group)
    return None


def _are_groups(sizes: collections.Counter[str], files: int) -> bool:
    matching = sizes.total()
    return (
        len(sizes) >= _FEWEST
        and matching >= _MATCHING * files
        and matching >= _MEAN * len(sizes)
        and max(sizes.values()) <= _LARGEST * matching
    )


def _sizes(paths: Iterable[str], expression: str) -> collections.Counter[str]:
    """Returns how many paths are in each group as `data.group_by` makes it."""
    found = map(re.compile(expression).search, paths)
    return collections.Counter(match[1] for match in found if match)


def _path(file: SourceFile) -> str:
    return file.below or posixpath.basename(file.name)
