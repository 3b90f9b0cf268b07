"""Which pictures the sources hold. Imports nothing heavy for local ones."""

from __future__ import annotations

import dataclasses
import fnmatch
import os
import posixpath
import time

from components import files as file_systems
from components.errors import ConfigError
from components.files.entries import Entry, View, as_text
from components.files.paths import absolute, is_remote
from components.image_example_gen.sources import spans, unchanged, unread
from components.image_example_gen.sources.class_names import unified
from components.image_example_gen.sources.corrections import read_corrections
from components.image_example_gen.sources.grouping import with_groups
from components.image_example_gen.sources.layouts import LAYOUT, is_picture, read_folders
from components.image_example_gen.sources.listing import (
    Listing,
    SourceFile,
    check,
    compressed,
    merge,
    with_missing_splits_cut,
)
from components.image_example_gen.sources.manifest import is_manifest, read_manifest
from components.image_example_gen.sources.name_groups import offered
from components.image_example_gen.sources.records import is_records, read_picture, read_records
from components.image_example_gen.sources.training_values import check_training_values
from components.settings.data import Data
from serving.names import shown

__all__ = [
    "Listing",
    "SourceFile",
    "compressed",
    "content",
    "is_manifest",
    "scan",
    "scan_with_evidence",
    "unread_pictures",
]


def scan(data: Data) -> Listing:
    """Lists all pictures of `data.source`; a remote place is listed once.

    With several sources, each one's last folder stands before the names of its files (and a number
    behind it where two are called alike), so that names stay unique.

    Raises:
      ConfigError: a source is not there, or is none.
      DataError: no classes, classes too small to be split, groups that can't be kept whole, or
        corrections to a class that is not there.
    """
    _check_different(data.sources)
    found = [_source(absolute(source), data) for source in data.sources]
    if len(found) == 1:
        listing = merge({"": found[0]})
    else:
        listing = merge(dict(zip(_prefixes(data.sources), found, strict=True)))
    listing = unified(listing, data.similar_class_names == "allow")
    check(listing, ", ".join(data.sources), LAYOUT, data.min_pictures, unread_pictures(listing))
    check_training_values(listing.files, data)
    if not data.group_by:
        listing = listing.copy(notes=[*listing.notes, *offered(listing)])
    if data.corrections:
        known = read_corrections(data.corrections, listing.classes)
        listing = dataclasses.replace(listing, corrections=known)  # another fingerprint
    return with_missing_splits_cut(with_groups(listing, data.group_by))


def scan_with_evidence(data: Data) -> Listing:
    """Does what `scan` does, and notes by what is seen that the listing still holds."""
    began = time.time_ns()
    listing = scan(data)
    also = [absolute(data.corrections)] if data.corrections else []
    if not 0 < len(listing.places) <= unchanged.MOST_PLACES or any(map(is_remote, also)):
        return listing
    return listing.copy(evidence=unchanged.evidence(data, [*listing.places, *also], began))


def unread_pictures(listing: Listing) -> list[str]:
    """Returns a sentence on pictures in formats that are not read here; none without any."""
    return unread.sentences(unread.by_suffix(listing.unread))


def content(file: SourceFile) -> bytes:
    """Returns the bytes of a picture's file.

    Raises:
      OSError: it can't be read.
    """
    if file.record is None:
        return file_systems.read_bytes(file.path)
    return read_picture(file.path, file.modified, file.record)


def _check_different(sources: list[str]) -> None:
    """Refuses a source that is named twice: its pictures would count double.

    Raises:
      ConfigError: one is.
    """
    seen: dict[str, str] = {}
    for source in sources:
        place = source.rstrip("/") if is_remote(source) else os.path.realpath(absolute(source))
        if place in seen:
            raise ConfigError(
                f"data.source: {shown(seen[place])} and {shown(source)} are the same place, whose "
                "pictures would count twice. Each source is named once: leave one of them out."
            )
        seen[place] = source


def _prefixes(sources: list[str]) -> list[str]:
    """Returns each source's own beginning of names."""
    prefixes: list[str] = []
    for source in sources:
        base = spans.base_of(source) if spans.is_pattern(source) else source
        if "*" in posixpath.basename(base):
            base = posixpath.dirname(base)
        last = posixpath.basename(base.rstrip("/"))
        last = posixpath.splitext(last)[0] if is_manifest(last) else last
        number, prefix = 1, f"{last}/"
        while prefix in prefixes:
            number += 1
            prefix = f"{last}-{number}/"
        prefixes.append(prefix)
    return prefixes


def _source(source: str, data: Data) -> Listing:
    if not spans.is_pattern(source):
        return _place(source, data, None)
    base = spans.base_of(source)
    below_base = file_systems.view(base)
    chosen, found = spans.newest(source, data.window, below_base, data.span)
    above = f"{base.rstrip('/')}/"
    prefixes = _span_prefixes([span.path.removeprefix(above) for span in chosen])
    places = [_place(span.path, data, below_base) for span in chosen]
    listing = merge(dict(zip(prefixes, places, strict=True)))
    said = [f"{source}: read {_said(chosen)}; found {_said(found)}."]
    return dataclasses.replace(listing, notes=said + listing.notes)


def _span_prefixes(paths: list[str]) -> list[str]:
    """Returns the beginning of names in each span: its folder; of manifests that share one, each
    one's own name."""
    folders = [posixpath.dirname(path) if is_manifest(path) else path for path in paths]
    if len({*folders}) < len(folders):
        folders = [posixpath.splitext(path)[0] for path in paths]
    return [f"{folder}/" if folder else "" for folder in folders]


def _said(found: list[spans.Span]) -> str:
    return f"span{'s' if len(found) > 1 else ''} {', '.join(map(str, found))}"


def _place(path: str, data: Data, known: View | None) -> Listing:
    """Reads one manifest, folder or file of records; `known` is a view of it if there is one."""
    if is_manifest(path):
        named = (data.group_by, data.label_probability, data.weight)
        return read_manifest(path, known, columns=data.columns, read=[*filter(None, named)])
    last = posixpath.basename(path)
    if is_records(last) or "*" in last:
        place = known or file_systems.view(posixpath.dirname(path))
        if not place.is_folder(path):
            return _records(_matching(path, place), place)
    place = known or file_systems.view(path)
    if not place.is_folder(path):
        found = f"{path} is a file" if place.entry(path) else f"no folder {path}"
        raise ConfigError(
            f"data.source: {found}. Name a folder that holds one folder of pictures per "
            "class, a manifest (.csv, .tsv, .xlsx), or TFRecords (a folder of them, or a pattern "
            "like folder/*.tfrecord*)."
        )
    tree = place.tree(path)
    records = [entry for entry in tree.files if is_records(posixpath.basename(entry.name))]
    if records and not any(is_picture(posixpath.basename(entry.name)) for entry in tree.files):
        others = len(tree.files) - len(records)
        return dataclasses.replace(_records(records, place), ignored=others)
    return dataclasses.replace(read_folders(tree), places=tuple(place.asked))


def _records(entries: list[Entry], place: View) -> Listing:
    places = [*place.asked, *(entry.path for entry in entries)] if place.asked else ()
    return dataclasses.replace(read_records(entries), places=tuple(places))


def _matching(pattern: str, place: View) -> list[Entry]:
    folder, last = posixpath.split(pattern)
    names = sorted(filter(is_records, fnmatch.filter(place.names(folder), last)))
    found = [(name, place.entry(posixpath.join(folder, name))) for name in names]
    entries = [dataclasses.replace(entry, name=as_text(name)) for name, entry in found if entry]
    if not entries:
        raise ConfigError(
            f"data.source: no file matches {pattern} and has .tfrecord in its name. Name a folder "
            "for pictures, or a pattern for files of records."
        )
    return entries
