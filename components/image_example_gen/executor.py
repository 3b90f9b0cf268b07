"""Runs the ingest and refuses data that a classifier can't be judged on."""

from __future__ import annotations

import json
import os

from tfx.dsl.io import fileio
from tfx.types import Artifact, artifact_utils

from components.artifacts import features
from components.artifacts import types as artifact_types
from components.image_example_gen import changes, ingest, listing_handover, sources, value_range
from components.image_example_gen.ingest_report import ingest_report
from components.image_example_gen.limits import check_limits
from components.image_example_gen.reading import Ledger
from components.settings.ingest import Ingest
from components.step import progress
from components.step.artifacts import Artifacts
from components.step.base import BeamStepExecutor
from serving.picture_settings import PictureSettings


class Executor(BeamStepExecutor[Ingest]):
    """Writes the three splits, the class list and the ingest report."""

    SETTINGS = Ingest

    def do(
        self, inputs: Artifacts, outputs: Artifacts, settings: Ingest, facts: dict[str, str]
    ) -> None:
        fingerprint = facts["fingerprint"]
        listing = listing_handover.listed(outputs, fingerprint, settings)
        progress.report(f"{len(listing.files)} pictures of {len(listing.classes)} classes")
        report, examples = outputs.one("ingest_report"), outputs.one("examples")
        examples.split_names = artifact_utils.encode_split_names(list(features.SPLITS))
        pictures = settings.pictures(self._measured(listing, settings, report))
        ledger = self._ingest(listing, settings, pictures, examples, report)
        check_limits(ledger, ledger.counts(listing.classes), settings)
        document = {"fingerprint": fingerprint, **ingest_report(listing, ledger, pictures)}
        artifact_types.write(report, document)
        artifact_types.write(outputs.one("class_list"), listing.classes)

    def _measured(
        self, listing: sources.Listing, data: Ingest, report: Artifact
    ) -> tuple[int, int] | None:
        """Returns the range of all 16-bit pictures where that decides, by a pass of its own."""
        if data.range != "data":
            return None
        folder = os.path.join(report.uri, "measured")
        with self._make_beam_pipeline() as pipeline:
            value_range.measure(pipeline, listing.files, data, folder)
        spans = changes.measured(_rows(os.path.join(folder, value_range.SPANS)))
        fileio.rmtree(folder)
        return spans

    def _ingest(
        self,
        listing: sources.Listing,
        data: Ingest,
        pictures: PictureSettings,
        examples: Artifact,
        report: Artifact,
    ) -> Ledger:
        prefixes = {
            split: os.path.join(artifact_utils.get_split_uri([examples], split), "pictures")
            for split in features.SPLITS
        }
        prefixes[ingest.LEDGER] = os.path.join(report.uri, "ledger")
        targets = ingest.Targets(prefixes, os.path.join(report.uri, "unfinished"))
        with self._make_beam_pipeline() as pipeline:
            ingest.ingest(pipeline, listing.files, data, targets, pictures)
        fileio.rmtree(targets.unfinished)
        ledger = Ledger.of(_rows(prefixes[ingest.LEDGER]))
        if ledger.withdrawn:
            shards = [path for split in features.SPLITS for path in _shards(prefixes[split])]
            with self._make_beam_pipeline() as pipeline:
                ingest.withdraw(pipeline, shards, ledger.withdrawn)
        return ledger


def _shards(prefix: str) -> list[str]:
    return sorted(fileio.glob(f"{prefix}-*"))


def _rows(prefix: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for shard in _shards(prefix):
        with fileio.open(shard) as file:
            rows.extend(json.loads(line) for line in file)
    return rows
