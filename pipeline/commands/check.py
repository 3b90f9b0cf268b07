"""The command `check`: reads the pictures as a run would, without running it."""

from __future__ import annotations

import collections
import itertools
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from components.errors import MOST_LINES, DataError
from components.image_example_gen import sources
from components.image_example_gen.reading import Row, measure, read_all
from components.settings.data import Data
from components.settings.ingest import Ingest
from pipeline.commands import preflight_pictures
from pipeline.config import Config
from serving.names import shown, shown_lines
from serving.picture_settings import PictureSettings
from serving.quiet_imports import quiet_pillow

if TYPE_CHECKING:
    from components.image_example_gen.ledger import Ledger

_PART = 16  # files that a process reads at once
_READ_BY_PROGRAMS = (
    "accepted",
    "rejected",
    "ignored",
    "counts",
    "duplicates",
    "near_duplicates",
    "encoded_anew",
    "corrections",
    "quality",
    "pictures",
    "changes",
    "would_stop",
    "notes",
)


def check(data: Data, as_json: bool, config: Config | None = None) -> bool:
    """Prints the pictures per class and split, and what a run would reject or stop at.

    Returns whether a run would start.

    With `as_json` standard output has the JSON for programs, and the notes go to standard error.

    Args:
      data: which pictures.
      as_json: for programs.
      config: the whole configuration, which is held against the pictures.

    Raises:
      UserError: there is nothing to read, or the configuration does not suit it.
    """
    report, classes = read_source(data, config)
    stops = report["would_stop"] and f"A run would stop here: {report['would_stop']}"
    if as_json:
        for note in [*report["notes"], *filter(None, [stops])]:
            print(shown_lines(note), file=sys.stderr)
        print(json.dumps(read_by_programs(report), ensure_ascii=False))
        return not stops
    console = Console(highlight=False, soft_wrap=True)
    console.print(_table(report, classes))
    for line in _lines(report):
        console.print(shown_lines(line), markup=False)
    if stops:
        console.print(shown_lines(stops), markup=False)
    return not stops


def read_source(data: Data, config: Config | None = None) -> tuple[dict[str, Any], list[str]]:
    """Reads all pictures as a run would; returns the ingest report and the class list.

    Raises:
      UserError: there is nothing to read, or the configuration does not suit it.
    """
    from components.artifacts import known_pictures  # these bring NumPy
    from components.data_validator.changes import compare
    from components.image_example_gen.ingest_report import ingest_report
    from components.image_example_gen.ledger import Ledger
    from pipeline.commands.accepted_data import last_accepted

    listing = sources.scan(data)
    if config:
        preflight_pictures.check_gate(config.gate, listing.classes)
        preflight_pictures.check_slices(config.gate, listing)
    rows, pictures = read_pictures(listing, Ingest.of(data, config.image if config else None))
    ledger = Ledger.of(rows, data, listing.among)
    report = ingest_report(listing, ledger, pictures)
    report["would_stop"] = refusal(ledger, report["counts"], data)
    report["changes"] = None
    if config and (last := last_accepted(config)):
        changed = compare(last.pictures, known_pictures.of_rows(ledger.accepted))
        report["changes"] = changed.document()
        report["notes"] += changed.sentences(last.when)
    return report, ledger.classes(listing.classes)


def read_pictures(listing: sources.Listing, settings: Ingest) -> tuple[list[Row], PictureSettings]:
    """Returns a row per file, and the settings by which pictures became canonical."""
    from components.image_example_gen import changes

    measured = None
    if settings.range == "data":
        measuring = partial(_measured, data=settings)
        measured = changes.measured(_rows(listing.files, measuring, "Measuring"))
    pictures = settings.pictures(measured)
    reading = partial(_read, data=settings, settings=pictures, corrections=listing.corrections)
    return _rows(listing.files, reading, "Reading"), pictures


def read_by_programs(report: dict[str, Any]) -> dict[str, Any]:
    """Returns the facts of an ingest report that `--json` prints."""
    return {key: report[key] for key in _READ_BY_PROGRAMS}


def refusal(ledger: Ledger, counts: dict[str, dict[str, int]], data: Data) -> str | None:
    """Returns why a run would stop after reading, None if it would start."""
    from components.image_example_gen.limits import check_limits

    try:
        check_limits(ledger, counts, data)
    except DataError as error:
        return str(error).partition(" The first ones:")[0]  # they are listed already
    return None


def _rows(
    files: Sequence[sources.SourceFile],
    read_some: Callable[[list[sources.SourceFile]], list[Row]],
    doing: str,
) -> list[Row]:
    rest = iter(files)
    parts = iter(lambda: list(itertools.islice(rest, _PART)), [])
    with ProcessPoolExecutor(os.cpu_count(), initializer=quiet_pillow) as pool:
        rows = itertools.chain.from_iterable(pool.map(read_some, parts))
        shown = Console(stderr=True)
        return list(track(rows, doing, total=len(files), console=shown, transient=True))


def _read(
    files: list[sources.SourceFile],
    data: Data,
    settings: PictureSettings,
    corrections: Mapping[str, str],
) -> list[Row]:
    return [row for _, row in read_all(files, data, settings, corrections=corrections)]


def _measured(files: list[sources.SourceFile], data: Data) -> list[Row]:
    return [measure(file, data) for file in files]


def _table(report: dict[str, Any], classes: list[str]) -> Table:
    counts, rejected = report["counts"], collections.Counter(report["rejected_by_class"])
    table = Table("class", *counts, "rejected")
    for name in _smallest(report, classes):
        numbers = [by_class[name] for by_class in counts.values()]
        table.add_row(escape(shown(name)), *map(str, [*numbers, rejected[name]]))
    if (more := len(classes) - MOST_LINES) > 0:
        table.add_row(f"{more} larger ones")
    table.add_section()
    totals = [sum(by_class.values()) for by_class in counts.values()]
    table.add_row("all", *map(str, [*totals, rejected.total()]))
    return table


def _smallest(report: dict[str, Any], classes: list[str]) -> list[str]:
    """Returns the classes in their order; of many the smallest alone, since those may need more."""
    if len(classes) <= MOST_LINES:
        return classes
    counts = report["counts"].values()
    sizes = {name: sum(by_class[name] for by_class in counts) for name in classes}
    smallest = {*sorted(classes, key=sizes.__getitem__)[:MOST_LINES]}
    return [name for name in classes if name in smallest]


def _lines(report: dict[str, Any]) -> Iterator[str]:
    rejected = report["rejected"]
    for row in rejected[:MOST_LINES]:
        yield shown(f"rejected  {row['file']}: {row['reason']}")
    if more := rejected[MOST_LINES:]:
        yield f"rejected  {len(more)} more; --json lists all."
    near, same = report["near_duplicates"], report["duplicates"]
    yield from _alike(near, "near-duplicate", "held-out pictures look like one of another split")
    yield from _alike(same, "duplicate", "pictures repeat one of their class and split")
    if report["encoded_anew"]:
        reasons = [f"{count} {reason}" for reason, count in report["encoded_anew"].items()]
        yield f"Encoded anew: {', '.join(reasons)}."
    yield from report["notes"]
    reasons = [f"{count} {reason}" for reason, count in report["rejected_by_reason"].items()]
    yield (
        f"{report['accepted']} accepted, {len(report['rejected'])} rejected"
        f"{' (' + ', '.join(reasons) + ')' if reasons else ''}, {report['ignored']} ignored"
    )


def _alike(found: dict[str, Any], word: str, what: str) -> Iterator[str]:
    """Yields a line per picture that is like another; `--json` lists those beyond the first."""
    for row in found["listed"][:MOST_LINES]:
        apart = f" ({row['bits']} of 256 bits apart)" if "bits" in row else ""
        yield shown(f"{word}  {row['file']} is like {row['like']}{apart}")
    if found["count"]:
        yield f"{found['count']} {what}."
