"""Runs the ingest and refuses data that a classifier can't be judged on."""

from __future__ import annotations

import json
import os
from typing import Any

import apache_beam as beam
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.types import Artifact, artifact_utils

from components import artifact_types, features, progress
from components.errors import DataError
from components.image_example_gen import ingest, kept_listing, sources
from components.image_example_gen.reading import Ledger
from components.settings import Data


class Executor(base_beam_executor.BaseBeamExecutor):
    """Writes the three splits, the class list and the ingest report."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        data = Data.model_validate_json(exec_properties["data"])
        listing = kept_listing.listed(output_dict, exec_properties["fingerprint"], data)
        progress.report(f"{len(listing.files)} pictures of {len(listing.classes)} classes")
        report = artifact_utils.get_single_instance(output_dict["ingest_report"])
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        examples.split_names = artifact_utils.encode_split_names(list(features.SPLITS))
        ledger = self._ingest(listing, data, examples, report)
        counts = ledger.counts(listing.classes)
        _check(ledger, counts, data)
        artifact_types.write(
            report,
            {
                "fingerprint": exec_properties["fingerprint"],
                "accepted": len(ledger.accepted),
                "rejected": ledger.rejected,
                "ignored": listing.ignored,
                "counts": counts,
                "notes": listing.notes,
            },
        )
        class_list = artifact_utils.get_single_instance(output_dict["class_list"])
        artifact_types.write(class_list, listing.classes)

    def _ingest(
        self, listing: sources.Listing, data: Data, examples: Artifact, report: Artifact
    ) -> Ledger:
        rows = os.path.join(report.uri, "ledger")
        with self._make_beam_pipeline() as pipeline:
            read = (
                pipeline
                | "Files" >> beam.Create(ingest.in_mixed_order(listing.files))
                | "Spread" >> beam.Reshuffle()
                | "Read" >> beam.ParDo(ingest.ReadPictures(data)).with_outputs()
            )
            for split in features.SPLITS:
                # Pictures don't compress, hence no gzip. Without a fixed number of shards Beam
                # writes each picture as it comes; with one it would hold all of them in memory.
                prefix = os.path.join(artifact_utils.get_split_uri([examples], split), "pictures")
                _ = read[split] | f"Write {split}" >> beam.io.WriteToTFRecord(
                    prefix, file_name_suffix=".tfrecord"
                )
            _ = (
                read[ingest.LEDGER]
                | "ToJson" >> beam.Map(json.dumps)
                | "Write ledger" >> beam.io.WriteToText(rows, file_name_suffix=".jsonl")
            )
        files = sorted(fileio.glob(f"{rows}*.jsonl"))
        lines = [line for file in files for line in fileio.open(file).read().splitlines()]
        return Ledger.of(json.loads(line) for line in lines)


def _check(ledger: Ledger, counts: dict[str, dict[str, int]], data: Data) -> None:
    total = len(ledger.accepted) + len(ledger.rejected)
    if len(ledger.rejected) > data.max_rejected_fraction * total:
        shown = "".join(f"\n  {row['file']}: {row['reason']}" for row in ledger.rejected[:10])
        raise DataError(
            f"{len(ledger.rejected)} of {total} pictures can't be used, more than "
            f"data.max_rejected_fraction ({data.max_rejected_fraction}) allows. "
            f"Mend or remove them, or raise the limit. The first ones:{shown}"
        )
    missing = [
        f"{label} in {split}"
        for split, by_class in counts.items()
        for label, count in by_class.items()
        if count == 0
    ]
    if missing:
        raise DataError(
            f"No picture of {', '.join(missing)}. The split follows from each picture's content; "
            "add pictures of these classes or give the split a larger part in data.splits."
        )
