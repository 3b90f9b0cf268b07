"""Groups: pictures of one patient, module or visit, which stay together in one split."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from components.errors import DataError
from components.image_example_gen.sources.listing import Listing, SourceFile, compressed
from components.settings.data import NEAR_DUPLICATES
from serving.names import composed

_SHOWN = 5


def with_groups(listing: Listing, group_by: str | None) -> Listing:
    """Returns the listing with groups, and a file's split where others of its group have one.

    Args:
      listing: what was found.
      group_by: the name of a manifest's column, or a regular expression, of which the first group
        or else the whole match in the path is the group; one that the source names comes first.
        `near_duplicates` makes none here.

    Raises:
      DataError: no path matches, or the source puts one group into several splits.
    """
    files, notes = listing.files, listing.notes
    if group_by and group_by != NEAR_DUPLICATES:  # those are known once the pictures are read
        files = _grouped(files, group_by)
        notes = [*notes, *_unmatched(files, group_by)]
    files = _in_one_split(files)
    if files is listing.files:  # a copy would be counted once more
        return listing
    return dataclasses.replace(listing, files=files, notes=notes)


def _grouped(files: Sequence[SourceFile], group_by: str) -> Sequence[SourceFile]:
    column = group_by.lower()
    of_column = any(_in_column(file, column) for file in files)
    return compressed(
        dataclasses.replace(
            file,
            group=_in_column(file, column) if of_column else file.group or _group(file, group_by),
        )
        for file in files
    )


def _in_column(file: SourceFile, name: str) -> str | None:
    """Returns a file's value in a manifest's column of this name; None without one."""
    return file.group if name == "group" else dict(file.columns).get(name)


def _group(file: SourceFile, group_by: str) -> str | None:
    match = re.search(group_by, file.below or file.name)
    if match is None:
        return None
    first = match[1] if match.re.groups else None
    return composed(match[0] if first is None else first)


def _unmatched(files: Sequence[SourceFile], group_by: str) -> list[str]:
    without = sum(not file.group for file in files)
    if not without:
        return []
    first = next(file for file in files if not file.group)
    example = first.below or first.name
    if without == len(files):
        raise DataError(
            f"data.group_by: {group_by} matches none of {len(files)} paths, of which the first "
            f"is {example}. It is matched against the path below the class folder, in a manifest "
            "against its path, unless a column is called so. Correct the expression."
        )
    return [
        f"{without} of {len(files)} pictures are in no group by data.group_by ({group_by}): "
        f"split by their content, as {example}."
    ]


def _in_one_split(files: Sequence[SourceFile]) -> Sequence[SourceFile]:
    """Lets files without a split follow their group's, where the source gives it one."""
    given: dict[str, SourceFile] = {}
    torn: dict[str, str] = {}
    for file in files:
        if file.group and file.split:
            first = given.setdefault(file.group, file)
            if first.split != file.split:
                places = f"{first.name} in {first.split}, {file.name} in {file.split}"
                torn.setdefault(file.group, f"\n  {file.group!r}: {places}")
    if torn:
        more = f"\n  and {len(torn) - _SHOWN} more" if len(torn) > _SHOWN else ""
        raise DataError(
            "data.source gives several splits to one group, so that the test would know what was "
            f"trained on:{''.join([*torn.values()][:_SHOWN])}{more}\n"
            "Put each group into one split, or leave the splits out: they are cut by group then."
        )
    if not given:
        return files
    return compressed(
        dataclasses.replace(file, split=given[file.group].split)
        if file.group in given and not file.split
        else file
        for file in files
    )
