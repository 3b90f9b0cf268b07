"""Runs the ingest and refuses data that a classifier can't be judged on."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tfx.dsl.io import fileio
from tfx.types import Artifact, artifact_utils

from components.artifacts import (
    features,
    known_pictures,
    ledger_rows,
    record_counts,
    tfrecords,
)
from components.artifacts import types as artifact_types
from components.artifacts.rows import Rows
from components.image_example_gen import (
    changes,
    distribute,
    ingest,
    listing_handover,
    memory,
    value_range,
)
from components.image_example_gen.corrected import BEFORE
from components.image_example_gen.ingest_report import ingest_report
from components.image_example_gen.ledger import Ledger
from components.image_example_gen.limits import check_limits
from components.image_example_gen.sources import SourceFile
from components.image_example_gen.verdicts import Row
from components.settings.ingest import Ingest
from components.step import progress
from components.step.artifacts import Artifacts
from components.step.base import BeamStepExecutor
from components.step.previous import PREVIOUS, QUESTION
from serving.picture_settings import PictureSettings


class Ingesting(BeamStepExecutor[Ingest]):
    """Reads pictures and writes their Examples."""

    SETTINGS = Ingest

    def read(
        self,
        files: Sequence[SourceFile],
        data: Ingest,
        pictures: PictureSettings,
        unfinished: str,
        corrections: Mapping[str, str] | None = None,
    ) -> Rows:
        """Reads the files and writes Examples in no split; returns a row for each file."""
        with self._make_beam_pipeline() as pipeline:
            ingest.ingest(pipeline, files, data, unfinished, pictures, corrections, self.threads)
        rows = Rows.of(_lines(_ledgers(os.path.join(unfinished, ingest.LEDGERS))))
        what = "rows of the ledger for the files of the listing"
        record_counts.check(what, len(rows), len(files))
        listed = Rows.of({"file": file.name, "label": file.label} for file in files)
        read = Rows.of({"file": row["file"], "label": _listed_as(row)} for row in rows)
        names = ("file", "label")
        record_counts.check(what, read.different(*names), listed.different(*names))
        return rows

    def distribute(self, ledger: Ledger, examples: Artifact, report: str, unfinished: str) -> None:
        """Writes the splits and the ledger, into the folder of the report."""
        prefixes = {
            split: os.path.join(artifact_utils.get_split_uri([examples], split), "pictures")
            for split in features.SPLITS
        }
        with self._make_beam_pipeline() as pipeline:
            distribute.distribute(pipeline, ledger.accepted, prefixes, unfinished)
        found = sorted(fileio.glob(os.path.join(unfinished, f"{distribute.PLACES}-*")))
        placed = distribute.placed(ledger.accepted, found, _content)
        fileio.rmtree(unfinished)
        accepted = ledger.by_split()
        for split in features.SPLITS:
            written = tfrecords.count(artifact_utils.get_split_uri([examples], split))
            what = f"records in the split {split} for its accepted pictures"
            record_counts.check(what, written, accepted[split])
        record_counts.note(examples, {split: accepted[split] for split in features.SPLITS})
        rows = dataclasses.replace(ledger, accepted=placed).rows()
        ledger_rows.write(report, rows.without(ingest.SHARD, ingest.AT))


class Executor(Ingesting):
    """Writes the three splits, the class list and the ingest report."""

    def do(
        self, inputs: Artifacts, outputs: Artifacts, settings: Ingest, facts: dict[str, str]
    ) -> None:
        fingerprint = facts["fingerprint"]
        listing = listing_handover.listed(outputs, fingerprint, settings)
        progress.report(f"{len(listing.files)} pictures of {len(listing.classes)} classes")
        report, examples = outputs.one("ingest_report"), outputs.one("examples")
        examples.split_names = artifact_utils.encode_split_names(list(features.SPLITS))
        for key in (QUESTION, PREVIOUS):
            report.set_string_custom_property(key, facts.get(key, ""))
        unfinished = os.path.join(report.uri, "unfinished")
        pictures = settings.pictures(self._measured(listing.files, settings, report.uri))
        rows = self.read(listing.files, settings, pictures, unfinished, listing.corrections)
        listing = listing.holding([])  # the rows stand for them from here on
        known = memory.read(facts.get(PREVIOUS, ""))
        ledger = Ledger.of(rows, settings, listing.among, known)
        what = "pictures accepted, rejected or left out for the rows of the ledger"
        record_counts.check(what, ledger.files, len(rows))
        classes = ledger.classes(listing.classes)
        check_limits(ledger, ledger.counts(classes), settings)
        self.distribute(ledger, examples, report.uri, unfinished)
        memory.write(known.with_(ledger.accepted, settings.group_by), report.uri)
        before = _previous_report(facts.get(PREVIOUS, ""))
        told = ingest_report(listing, ledger, pictures, before)
        document = {"fingerprint": fingerprint, **told}
        artifact_types.write(report, document)
        known_pictures.write(report.uri, known_pictures.of_rows(ledger.accepted))
        artifact_types.write(outputs.one("class_list"), classes)

    def _measured(
        self, files: Sequence[SourceFile], data: Ingest, report: str
    ) -> tuple[int, int] | None:
        """Returns the range of all 16-bit pictures where that decides, by a pass of its own."""
        if data.range != "data":
            return None
        folder = os.path.join(report, "measured")
        with self._make_beam_pipeline() as pipeline:
            value_range.measure(pipeline, files, data, folder)
        spans = changes.measured(_lines(sorted(fileio.glob(f"{folder}/{value_range.SPANS}-*"))))
        fileio.rmtree(folder)
        return spans


def _listed_as(row: Row) -> str:
    return row.get(BEFORE, row["label"])


def _previous_report(folder: str) -> dict[str, Any] | None:
    """Returns the ingest report that this one builds on, None where there is none."""
    if not folder:
        return None
    report = artifact_types.IngestReport()
    report.uri = folder
    found: dict[str, Any] = artifact_types.read(report)
    return found


def _ledgers(path: str) -> list[str]:
    """Returns the paths of the ledger's files; none where the runner lost all of them."""
    if not fileio.exists(path):
        return []
    with fileio.open(path) as file:
        return list(json.loads(file.read()))


def _lines(paths: Iterable[str]) -> Iterator[Row]:
    for path in paths:
        with fileio.open(path) as file:
            yield from (json.loads(line) for line in file)


def _content(path: str) -> str:
    with fileio.open(path) as file:
        return str(file.read())
