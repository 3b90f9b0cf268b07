"""Gathers the findings about the data, and accepts or refuses it."""

from __future__ import annotations

import collections
import dataclasses
import os
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.io import fileio

from components.artifacts import features, known_pictures
from components.artifacts import types as artifact_types
from components.artifacts.examples import Example
from components.artifacts.known_pictures import Pictures
from components.artifacts.tfrecords import read_records
from components.data_validator import comparison
from components.data_validator.changes import Changes, compare, former_names
from components.data_validator.comparison import Finding
from components.errors import DataError, listed
from components.settings.data import Validation
from components.step.artifacts import Artifacts
from components.step.base import StepExecutor
from components.step.previous import PREVIOUS, QUESTION


class Executor(StepExecutor[Validation]):
    """Writes the acceptance, or raises with all that stops the run."""

    SETTINGS = Validation

    def do(
        self, inputs: Artifacts, outputs: Artifacts, settings: Validation, facts: dict[str, str]
    ) -> None:
        counts = _totals(artifact_types.read(inputs.one("ingest_report"))["counts"])
        previous = _read_previous(facts[PREVIOUS])
        accepted = previous["accepted"] if previous else None
        pictures = known_pictures.read(inputs.uri("ingest_report"))
        changes = _changes(facts[PREVIOUS], pictures)
        findings = list(_findings(inputs, counts, previous, changes, settings))
        if any(finding.stops for finding in findings):
            raise DataError(_refusal(findings, accepted))
        acceptance = outputs.one("acceptance")
        for key in (QUESTION, PREVIOUS):
            acceptance.set_string_custom_property(key, facts[key])
        artifact_types.write(
            acceptance,
            {
                "accepted": f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC",
                "counts": counts,
                "compared_with": accepted,
                "changes": changes.document() if changes else None,
                "former_names": former_names(
                    changes.renamed if changes else {},
                    previous.get("former_names", {}) if previous else {},
                    list(counts),
                ),
                "findings": [dataclasses.asdict(finding) for finding in findings],
            },
        )
        if pictures is not None:
            known_pictures.write(acceptance.uri, pictures)


def _totals(counts: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Adds the splits up."""
    totals: collections.Counter[str] = collections.Counter()
    for by_class in counts.values():
        totals.update(by_class)
    return dict(sorted(totals.items()))


def _read_previous(folder: str) -> dict[str, Any] | None:
    if not folder:
        return None
    acceptance = artifact_types.DataAcceptance()
    acceptance.uri = folder
    return artifact_types.read(acceptance)


def _changes(previous: str, now: Pictures | None) -> Changes | None:
    """Returns what changed since the acceptance in a folder; None where that can't be known."""
    before = known_pictures.read(previous) if previous else None
    return None if before is None or now is None else compare(before, now)


def _findings(
    inputs: Artifacts,
    counts: dict[str, int],
    previous: dict[str, Any] | None,
    changes: Changes | None,
    rules: Validation,
) -> Iterator[Finding]:
    if previous:
        if changes:
            yield from comparison.check_changes(changes, previous["accepted"], rules)
        names = {before: now for now, before in changes.renamed.items()} if changes else {}
        then = {names.get(name, name): number for name, number in previous["counts"].items()}
        yield from comparison.compare_classes(counts, then, rules)
    yield from comparison.check_sizes(list(_outside(inputs, rules)), rules)
    yield from comparison.check_anomalies(_anomalies(inputs), rules)


def _outside(inputs: Artifacts, rules: Validation) -> Iterator[str]:
    """Names the pictures out of range, reading only splits whose statistics say there are any."""
    statistics = inputs.one("statistics")
    for split in features.SPLITS:
        of_split = stats_artifact_utils.load_statistics(statistics, split).proto()
        sides = [
            round(side)
            for feature in of_split.datasets[0].features
            if feature.path.step[0] in (features.HEIGHT, features.WIDTH)
            for side in (feature.num_stats.min, feature.num_stats.max)
        ]
        if not comparison.in_range(min(sides), max(sides), rules):
            yield from _pictures_outside(inputs.split("examples", split), rules)


def _pictures_outside(folder: str, rules: Validation) -> Iterator[str]:
    for record in read_records(folder).as_numpy_iterator():
        picture = Example(record)
        height, width = picture.number(features.HEIGHT), picture.number(features.WIDTH)
        if not comparison.in_range(height, width, rules):
            yield f"{picture.text(features.FILENAME)} ({height} x {width})"


def _anomalies(inputs: Artifacts) -> Iterator[tuple[str, str, str]]:
    """Yields (split, feature, description) of every anomaly that ExampleValidator found."""
    for split in features.SPLITS:
        folder = inputs.split("anomalies", split)
        with fileio.open(os.path.join(folder, "SchemaDiff.pb"), "rb") as file:
            found = anomalies_pb2.Anomalies.FromString(file.read())
        for name, information in sorted(found.anomaly_info.items()):
            yield split, name, information.description
        for reason in found.dataset_anomaly_info.reason:
            yield split, "the data", reason.description


def _refusal(findings: list[Finding], accepted: str | None) -> str:
    lines = listed([finding.text for finding in findings])
    since = f" Classes were compared with the data accepted on {accepted}." if accepted else ""
    checks = dict.fromkeys(finding.check for finding in findings if finding.stops)
    words = " ".join(f"--set validation.{check}=report" for check in checks)
    return (
        f"The data did not pass:{lines}\n"
        f"Nothing was trained.{since} Mend the data, or accept it as it is, once, with {words}. "
        "Other classes for another purpose need a pipeline_name of their own."
    )
