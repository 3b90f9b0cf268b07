"""Runs the ingest and refuses data that a classifier can't be judged on."""

from __future__ import annotations

import json
import os
from typing import Any

from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.types import Artifact, artifact_utils

from components.artifacts import features
from components.artifacts import types as artifact_types
from components.image_example_gen import ingest, listing_handover, sources
from components.image_example_gen.ingest_report import ingest_report
from components.image_example_gen.limits import check_limits
from components.image_example_gen.reading import Ledger
from components.settings.data import Data
from components.step import progress


class Executor(base_beam_executor.BaseBeamExecutor):
    """Writes the three splits, the class list and the ingest report."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        data = Data.model_validate_json(exec_properties["data"])
        listing = listing_handover.listed(output_dict, exec_properties["fingerprint"], data)
        progress.report(f"{len(listing.files)} pictures of {len(listing.classes)} classes")
        report = artifact_utils.get_single_instance(output_dict["ingest_report"])
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        examples.split_names = artifact_utils.encode_split_names(list(features.SPLITS))
        ledger = self._ingest(listing, data, examples, report)
        check_limits(ledger, ledger.counts(listing.classes), data)
        artifact_types.write(
            report,
            {
                "fingerprint": exec_properties["fingerprint"],
                **ingest_report(listing, ledger),
            },
        )
        class_list = artifact_utils.get_single_instance(output_dict["class_list"])
        artifact_types.write(class_list, listing.classes)

    def _ingest(
        self, listing: sources.Listing, data: Data, examples: Artifact, report: Artifact
    ) -> Ledger:
        prefixes = {
            split: os.path.join(artifact_utils.get_split_uri([examples], split), "pictures")
            for split in features.SPLITS
        }
        prefixes[ingest.LEDGER] = os.path.join(report.uri, "ledger")
        targets = ingest.Targets(prefixes, os.path.join(report.uri, "unfinished"))
        with self._make_beam_pipeline() as pipeline:
            ingest.ingest(pipeline, listing.files, data, targets)
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
