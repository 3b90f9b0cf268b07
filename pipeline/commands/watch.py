"""The command `watch`: what a served model was asked, against the data of its run."""

from __future__ import annotations

import csv
import dataclasses
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from components.artifacts.predictions import CANDIDATE
from components.artifacts.tfrecords import Damaged, records
from components.errors import MOST_LINES, ConfigError
from pipeline.commands import runs as runs_command
from pipeline.commands.predictions_file import read_predictions
from pipeline.commands.runs_page import RESULT
from pipeline.commands.watch_compare import LEAST, Reference, compare, realised
from pipeline.store import outputs, runs
from serving import atomic_files
from serving.names import shown
from serving.recording.record import Record
from serving.recording.recorder import PATTERN

_DAY_MS = 86_400_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """The options of `watch`."""

    records: Path
    root: Path
    metadata: str | None = None
    days: int = 7
    labels: Path | None = None
    as_json: bool = False


def watch(request: Request) -> bool:
    """Prints what is unlike the training data, version by version; returns whether nothing is.

    Raises:
      ConfigError: no records, no root of runs, or a table of labels of another form.
    """
    kept, notes = read(request.records, request.days)
    labels = read_labels(request.labels) if request.labels else None
    pushed = _pushed(request.root, request.metadata, {record.version for record in kept})
    found: dict[str, Any] = {"versions": [], "notes": notes}
    for version in sorted({record.version for record in kept}, reverse=True):
        of_version = [record for record in kept if record.version == version]
        found["versions"].append(_judged(version, of_version, pushed.get(version), labels))
    findings = [finding for row in found["versions"] for finding in row["findings"]]
    found = {"findings": len(findings), "when": time.strftime("%Y-%m-%d %H:%M"), **found}
    atomic_files.write(request.root / RESULT, json.dumps(found, indent=1, ensure_ascii=False))
    if request.as_json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        for line in lines(found):
            print(shown(line))
    return not findings


def read(folder: Path, days: int) -> tuple[list[Record], list[str]]:
    """Returns the records of the last days, each picture of a version once, and notes.

    Raises:
      ConfigError: there are none.
    """
    since = 1000 * time.time() - days * _DAY_MS
    found: dict[tuple[int, str], Record] = {}
    notes = []
    for path in sorted(folder.glob(PATTERN)):
        with path.open("rb") as file:
            try:
                for each in records(file):
                    record = Record.decoded(each.data)
                    if record.milliseconds >= since:
                        found[record.version, record.sent_sha256] = record
            except (Damaged, ValueError) as error:
                notes.append(f"{path.name}: {error}; what follows in it was not read")
    if not found:
        has = f"{folder} has no records of the last {days} days"
        fault = has if folder.is_dir() else f"there is no folder {folder}"
        raise ConfigError(
            f"--records: {fault}. `serve --record DIR` or "
            "Client(record=DIR) keeps them; --days N looks further back."
        )
    return list(found.values()), notes


def read_labels(path: Path) -> dict[str, str]:
    """Returns classes by SHA-256 from a CSV file with the columns `sha256` and `label`.

    Raises:
      ConfigError: it can't be read, or lacks a column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            missing = {"sha256", "label"} - set(table.fieldnames or ())
            if missing:
                raise ConfigError(
                    f"--labels: {path} has the columns {', '.join(table.fieldnames or ())}; "
                    "it needs sha256 and label. Name the columns so."
                )
            return {row["sha256"].strip().lower(): row["label"] for row in table}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"--labels: {path} can't be read ({error}). Name a file that can."
        ) from error


def lines(found: dict[str, Any]) -> Iterator[str]:
    """Yields what a person reads."""
    for row in found["versions"]:
        told = f"version {row['version']}: {row['records']} pictures"
        if row.get("estimated_accuracy") is not None:
            told += (
                f", estimated accuracy {row['estimated_accuracy']:.3f}"
                f" ({row['tested_accuracy']:.3f} on test)"
            )
        yield told
        if row["too_few"]:
            yield f"  too few to tell: {LEAST} are needed"
        if row["missing"]:
            yield f"  {row['missing']}"
        if (labelled := row["realised"]) and labelled["labelled"]:
            low, high = labelled["interval"]
            yield (
                f"  realised accuracy {labelled['accuracy']:.3f} ({low:.3f} to {high:.3f}), "
                f"{labelled['labelled']} labelled pictures"
            )
        elif labelled:
            yield "  no label is of a picture that was recorded"
        yield from (f"  finding: {finding}" for finding in row["findings"])
    yield from found["notes"][:MOST_LINES]
    yield f"{found['findings']} findings."


def _judged(
    version: int, kept: list[Record], run: runs.Run | None, labels: dict[str, str] | None
) -> dict[str, Any]:
    reference, missing = _reference(run)
    row: dict[str, Any] = {"records": len(kept), "too_few": False, "findings": []}
    if reference is not None:
        row = compare(kept, reference)
    row |= {"version": version, "run_id": run.run_id if run else None, "missing": missing}
    row["realised"] = None if labels is None else realised(kept, labels, reference)
    row["findings"] += row["realised"]["findings"] if row["realised"] else []
    return row


def _reference(run: runs.Run | None) -> tuple[Reference | None, str | None]:
    """Returns what the version is compared with, and what is missing of that."""
    if run is None:
        return None, (
            "no run of this root pushed it: name the root that did with --root (or --metadata)"
        )
    try:
        tested = read_predictions(run)
    except ConfigError as error:
        return None, str(error)
    best, scores = tested.predicted[CANDIDATE], tested.scores[CANDIDATE]
    ingest = run.document(outputs.INGEST_REPORT, "report.json") or {}
    distributions = ingest.get("quality", {}).get("distributions", {})
    reference = Reference(
        distributions=distributions,
        predicted=[tested.classes[at] for at in best.tolist()],
        scores=scores[np.arange(len(best)), best],
        accuracy=float(tested.correct(CANDIDATE).mean()),
        certain=None if tested.certain is None else float(tested.certain.mean()),
        distances=tested.distances,
    )
    missing = (
        None
        if distributions
        else "its ingest kept no distributions of the picture properties: those of a new run will"
    )
    return reference, missing


def _pushed(root: Path, store: str | None, versions: set[int]) -> dict[int, runs.Run]:
    """Returns the runs that pushed these versions."""
    connection = runs_command.connected(root, store)
    found: dict[int, runs.Run] = {}
    for run_id in runs.run_ids(connection):
        if versions <= found.keys():
            break
        run = runs.read_run(connection, run_id)
        if run.pushed_version in versions:
            found[run.pushed_version] = run
    return found
