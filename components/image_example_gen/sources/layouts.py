"""Folders of pictures: one per class, alone or in a folder per split."""

from __future__ import annotations

import collections
import dataclasses
import posixpath
import sys

from components.artifacts.features import EVAL, TEST, TRAIN
from components.errors import DataError
from components.files.entries import Entry, Tree, is_visible
from components.image_example_gen.sources import unread
from components.image_example_gen.sources.listing import Listing, SourceFile, compressed
from serving.names import shown, some
from serving.pictures import SUFFIXES

LAYOUT = "<class>/<picture> or <split>/<class>/<picture> is what is read"

SPLIT_NAMES = {
    "train": TRAIN,
    "training": TRAIN,
    "validation": EVAL,
    "valid": EVAL,
    "val": EVAL,
    "eval": EVAL,
    "test": TEST,
    "testing": TEST,
}
"""Names of splits, in lower case: of folders in any case, and in manifests."""

_SUFFIXES = tuple(SUFFIXES)
_SHOWN = 5  # folders


def is_picture(name: str) -> bool:
    """Checks whether a file's name is a picture's: visible, with a known suffix in any case."""
    return is_visible(name) and name.lower().endswith(_SUFFIXES)


def read_folders(tree: Tree) -> Listing:
    """Lists `<class>/**/*`, or `<split>/<class>/**/*` where the folders are named like splits.

    Where those lie in the class folders, `<class>/<split>/**/*`.

    Raises:
      DataError: some class folders hold splits, and others do not.
    """
    splits = split_folders(tree)
    if not splits and (inner := splits_below_classes(tree)):
        return _read_splits_below(tree, inner)
    depth = 2 if splits else 1  # of a class folder
    folders = [folder.split("/") for folder in tree.folders]
    classes = {
        parts[-1] for parts in folders if len(parts) == depth and (not splits or parts[0] in splits)
    }
    _check_text([folder for folder in tree.not_utf8 if folder.count("/") == depth - 1])
    files = compressed(_file(entry, splits) for entry in tree.files if _is_read(entry, splits))
    ignored = len(tree.files) - len(files) + sum(tree.system.values())
    beside = sorted({parts[0] for parts in folders} - splits.keys()) if splits else []
    notes = [f"{', '.join(map(shown, beside))} beside the splits: not read."] if beside else []
    inside = (parts for entry in tree.files if len(parts := entry.name.split("/")) > depth)
    others = unread.count(
        (parts[depth - 1], parts[-1])
        for parts in inside
        if (not splits or parts[0] in splits) and is_visible(parts[-1])
    )
    notes += [*_made_by_systems(tree), *_leading_nowhere(tree)]
    return Listing(files, sorted(classes), ignored, notes, others)


def _made_by_systems(tree: Tree) -> list[str]:
    """Returns a sentence on the folders that are no person's, and the number of their files."""
    if not tree.system:
        return []
    named = some(map(shown, sorted(tree.system)), _SHOWN)
    return [
        f"{sum(tree.system.values())} files in {named} not read: such "
        "folders are made by systems, not by people."
    ]


def _leading_nowhere(tree: Tree) -> list[str]:
    """Returns a sentence on links that may have led to folders; a picture's is rejected by name."""
    folders = [name for name in tree.dead if not is_picture(posixpath.basename(name))]
    if not folders:
        return []
    link = "link leads" if len(folders) == 1 else "links lead"
    return [
        f"{len(folders)} {link} nowhere: {some(map(shown, sorted(folders)), _SHOWN)}. What was "
        "behind is not read; is a disk not mounted?"
    ]


def _check_text(class_folders: list[str]) -> None:
    if class_folders:
        raise DataError(
            f"data.source: the class folder {shown(class_folders[0])} has a name that is not UTF-8 "
            f"({len(class_folders)} of such). Rename it: every model carries the names of its "
            "classes, and every client shows them."
        )


def split_folders(tree: Tree) -> dict[str, str]:
    """Returns the split that each top folder is, by its name; nothing for a folder per class.

    A class may be called `train` as well. So folders count as splits only where all are named so,
    or where `train` holds folders without pictures beside them and another split is there.
    """
    top = [folder for folder in tree.folders if "/" not in folder]
    named = {name: SPLIT_NAMES[name.lower()] for name in top if name.lower() in SPLIT_NAMES}
    holds_classes = any(
        split == TRAIN and _holds_folders_alone(name, tree) for name, split in named.items()
    )
    if len(named) > 1:
        return named if holds_classes or len(named) == len(top) else {}
    return named if holds_classes and len(top) == 1 else {}


def splits_below_classes(tree: Tree) -> dict[str, str]:
    """Returns the split that each folder in a class folder is, by its name; else nothing.

    A class may hold a folder `test` as well. So they count as splits where a class folder holds
    nothing else, and `train` among them.

    Raises:
      DataError: some class folders are like that, and others are not.
    """
    inside: dict[str, set[str]] = collections.defaultdict(set)
    for entry in tree.files:
        top, _, rest = entry.name.partition("/")
        if rest and is_picture(posixpath.basename(rest)):
            inside[top].add(rest.partition("/")[0] if "/" in rest else "")
    alike = {name for name, found in inside.items() if _are_splits(found)}
    if not alike:
        return {}
    others = sorted(inside.keys() - alike)
    if others:
        first = sorted(alike)[0]
        raise DataError(
            f"data.source: {', '.join(f'{first}/{name}' for name in sorted(inside[first]))} look "
            f"like splits in a class folder, but {', '.join(others[:10])} "
            f"{'have' if len(others) > 1 else 'has'} none. Put such folders into every class "
            "folder or into none, or use <split>/<class>/<picture>."
        )
    return {name: SPLIT_NAMES[name.lower()] for found in inside.values() for name in found}


def _are_splits(names: set[str]) -> bool:
    found = {SPLIT_NAMES.get(name.lower()) for name in names}
    return None not in found and TRAIN in found and len(found) > 1


def _read_splits_below(tree: Tree, splits: dict[str, str]) -> Listing:
    """Lists `<class>/<split>/**/*`."""
    files = compressed(
        dataclasses.replace(_file(entry, {}), split=splits[parts[1]], below="/".join(parts[2:]))
        for entry in tree.files
        if len(parts := entry.name.split("/")) > 2 and is_picture(parts[-1])
    )
    note = f"The class folders hold {', '.join(sorted(splits))}: read as splits."
    classes = sorted({file.label for file in files})
    return Listing(files, classes, len(tree.files) - len(files), [note])


def _holds_folders_alone(name: str, tree: Tree) -> bool:
    pictures = any(
        entry.name.count("/") == 1
        and entry.name.startswith(f"{name}/")
        and is_picture(posixpath.basename(entry.name))
        for entry in tree.files
    )
    return not pictures and any(folder.startswith(f"{name}/") for folder in tree.folders)


def _is_read(entry: Entry, splits: dict[str, str]) -> bool:
    *folders, name = entry.name.split("/")
    inside = len(folders) >= 2 and folders[0] in splits if splits else bool(folders)
    return inside and is_picture(name)


def _file(entry: Entry, splits: dict[str, str]) -> SourceFile:
    parts = entry.name.split("/")
    split = splits.get(parts[0])
    depth = 2 if splits else 1
    return SourceFile(
        path=entry.path,
        name=entry.name,
        label=sys.intern(parts[depth - 1]),  # one text for all files of a class
        size=entry.size,
        modified=entry.modified,
        split=split,
        below="/".join(parts[depth:]),
    )
