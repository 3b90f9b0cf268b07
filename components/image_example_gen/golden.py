"""GoldenExampleGen: a fixed labelled set, which the gate judges beside the test split."""

from __future__ import annotations

import dataclasses
import os

from tfx.orchestration.portable.data_types import ExecutionInfo
from tfx.types import artifact_utils, standard_artifacts

from components.artifacts import features, ledger_rows
from components.artifacts import types as artifact_types
from components.artifacts.types import IngestReport
from components.errors import DataError
from components.image_example_gen import listing_handover, sources
from components.image_example_gen.executor import Ingesting
from components.image_example_gen.ledger import Ledger
from components.image_example_gen.limits import check_rejected
from components.image_example_gen.verdicts import Row
from components.settings.ingest import Ingest
from components.step.artifacts import Artifacts
from components.step.base import BeamStep, settings_of
from components.step.driver import StepDriver
from serving.picture_settings import PictureSettings

KNOWN = "training sees the same picture, in train or eval of data.source"


class Driver(StepDriver):
    """Adds the fingerprint of every file."""

    def facts_of(self, execution_info: ExecutionInfo) -> dict[str, str]:
        """Lists the golden set and keeps the listing."""
        node = listing_handover.node_folder(execution_info.output_dict)
        listing = listing_handover.current(node, settings_of(execution_info))
        return {"fingerprint": listing_handover.keep(listing, node)}


class Executor(Ingesting):
    """Writes all pictures of the golden set into one split, `test`."""

    def do(
        self, inputs: Artifacts, outputs: Artifacts, settings: Ingest, facts: dict[str, str]
    ) -> None:
        listing = listing_handover.listed(outputs, facts["fingerprint"], settings)
        files = sources.compressed(
            dataclasses.replace(file, split=features.TEST) for file in listing.files
        )
        examples = outputs.one("examples")
        examples.split_names = artifact_utils.encode_split_names(list(features.SPLITS))
        unfinished = os.path.join(examples.uri, "unfinished")
        report = artifact_types.read(inputs.one("ingest_report"))
        pictures = PictureSettings.of_json(report["pictures"])
        rows = self.read(files, settings, pictures, unfinished)
        seen = _seen(inputs.uri("ingest_report"), set(rows.texts("sha256")))
        ledger = Ledger.of((_unseen(row, seen) for row in rows), settings)
        check_rejected(ledger, settings, "gate.golden: ")
        if not ledger.accepted:
            raise DataError(
                "gate.golden: none of its pictures can be used. `transfer-pipeline check` of that "
                "folder lists the reasons."
            )
        self.distribute(ledger, examples, examples.uri, unfinished)


def _seen(report: str, asked: set[str | None]) -> set[str]:
    """Returns those of these SHA-256 that are of pictures that training sees."""
    return {
        row["sha256"]
        for row in ledger_rows.read(report, ("sha256", "split"))
        if row.get("split") in _TRAINED and row["sha256"] in asked
    }


_TRAINED = (features.TRAIN, features.EVAL)


def _unseen(row: Row, seen: set[str]) -> Row:
    if row.get("sha256") not in seen:
        return row
    return {"file": row["file"], "label": row["label"], "reason": KNOWN}


class GoldenExampleGen(BeamStep):
    """Reads the golden set. Pictures that training sees are rejected."""

    EXECUTOR = Executor
    DRIVER_CLASS = Driver
    LIBRARIES = ("apache-beam", "numpy", "pi-heif", "Pillow", "simplejpeg", "tensorflow")
    INPUTS = {"ingest_report": IngestReport}
    OUTPUTS = {"examples": standard_artifacts.Examples}
