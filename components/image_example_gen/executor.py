"""Runs the ingest and refuses data that a classifier can't be judged on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

from tfx.dsl.io import fileio
from tfx.types import Artifact, artifact_utils

from components.artifacts import features, known_pictures
from components.artifacts import types as artifact_types
from components.image_example_gen import distribute, ingest, listing_handover, memory
from components.image_example_gen.ingest_report import ingest_report
from components.image_example_gen.ledger import Ledger
from components.image_example_gen.limits import check_limits
from components.image_example_gen.sources import SourceFile
from components.image_example_gen.verdicts import Row
from components.settings.data import Data
from components.step import progress
from components.step.artifacts import Artifacts
from components.step.base import BeamStepExecutor
from components.step.previous import PREVIOUS, QUESTION


class Ingesting(BeamStepExecutor[Data]):
    """Reads pictures and writes their Examples."""

    SETTINGS = Data

    def read(self, files: list[SourceFile], data: Data, unfinished: str) -> list[Row]:
        """Reads the files and writes Examples in no split; returns a row for each file."""
        with self._make_beam_pipeline() as pipeline:
            ingest.ingest(pipeline, files, data, unfinished)
        return list(_rows(unfinished))

    def distribute(self, ledger: Ledger, examples: Artifact, report: str, unfinished: str) -> None:
        """Writes the splits and the ledger, into the folder of the report."""
        prefixes = {
            split: os.path.join(artifact_utils.get_split_uri([examples], split), "pictures")
            for split in features.SPLITS
        }
        with self._make_beam_pipeline() as pipeline:
            distribute.distribute(pipeline, ledger.accepted, prefixes, unfinished)
        fileio.rmtree(unfinished)
        _write(ledger, os.path.join(report, "ledger-00000-of-00001.jsonl"))


class Executor(Ingesting):
    """Writes the three splits, the class list and the ingest report."""

    def do(
        self, inputs: Artifacts, outputs: Artifacts, settings: Data, facts: dict[str, str]
    ) -> None:
        fingerprint = facts["fingerprint"]
        listing = listing_handover.listed(outputs, fingerprint, settings)
        progress.report(f"{len(listing.files)} pictures of {len(listing.classes)} classes")
        report, examples = outputs.one("ingest_report"), outputs.one("examples")
        examples.split_names = artifact_utils.encode_split_names(list(features.SPLITS))
        for key in (QUESTION, PREVIOUS):
            report.set_string_custom_property(key, facts.get(key, ""))
        unfinished = os.path.join(report.uri, "unfinished")
        rows = self.read(listing.files, settings, unfinished)
        known = memory.read(facts.get(PREVIOUS, ""))
        ledger = Ledger.of(rows, settings, listing.among, known)
        classes = ledger.classes(listing.classes)
        check_limits(ledger, ledger.counts(classes), settings)
        self.distribute(ledger, examples, report.uri, unfinished)
        memory.write(known.with_(ledger.accepted, settings.group_by), report.uri)
        document = {"fingerprint": fingerprint, **ingest_report(listing, ledger)}
        artifact_types.write(report, document)
        known_pictures.write(report.uri, known_pictures.of_rows(ledger.accepted))
        artifact_types.write(outputs.one("class_list"), classes)


def _rows(unfinished: str) -> Iterator[Row]:
    with fileio.open(os.path.join(unfinished, ingest.LEDGERS)) as file:
        paths = json.loads(file.read())
    for path in paths:
        with fileio.open(path) as file:
            yield from (json.loads(line) for line in file)


def _write(ledger: Ledger, path: str) -> None:
    with fileio.open(path, "w") as file:
        for row in ledger.rows():
            kept = {key: value for key, value in row.items() if key != ingest.SHARD}
            file.write(f"{json.dumps(kept)}\n")
