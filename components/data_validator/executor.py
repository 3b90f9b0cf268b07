"""Gathers what there is to say of the data, and accepts or refuses it."""

from __future__ import annotations

import collections
import dataclasses
import os
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import Artifact, artifact_utils

from components.artifacts import features
from components.artifacts import types as artifact_types
from components.artifacts.examples import Example
from components.artifacts.tfrecords import read_records
from components.data_validator import comparison
from components.data_validator.comparison import Finding
from components.settings.data import Validation
from components.step.errors import DataError

QUESTION, PREVIOUS = "question", "previous"
"""Execution properties, kept with the acceptance: what was asked (inputs and rules, a digest), and
the folder of the acceptance that it was compared with, empty if there was none."""


class Executor(base_executor.BaseExecutor):
    """Writes the acceptance, or raises with all that stops the run."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        rules = Validation.model_validate_json(exec_properties["validation"])
        report = artifact_types.read(
            artifact_utils.get_single_instance(input_dict["ingest_report"])
        )
        counts = _totals(report["counts"])
        previous = _read_previous(exec_properties[PREVIOUS])
        findings = list(_findings(input_dict, counts, previous, rules))
        accepted = previous["accepted"] if previous else None
        if any(finding.stops for finding in findings):
            raise DataError(_refusal(findings, accepted))
        acceptance = artifact_utils.get_single_instance(output_dict["acceptance"])
        for key in (QUESTION, PREVIOUS):
            acceptance.set_string_custom_property(key, exec_properties[key])
        artifact_types.write(
            acceptance,
            {
                "accepted": f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC",
                "counts": counts,
                "compared_with": accepted,
                "findings": [dataclasses.asdict(finding) for finding in findings],
            },
        )


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


def _findings(
    inputs: dict[str, list[Artifact]],
    counts: dict[str, int],
    previous: dict[str, Any] | None,
    rules: Validation,
) -> Iterator[Finding]:
    if previous:
        yield from comparison.compare_classes(counts, previous["counts"], rules)
    yield from comparison.check_sizes(list(_outside(inputs, rules)), rules)
    yield from comparison.check_anomalies(_anomalies(inputs["anomalies"]), rules)


def _outside(inputs: dict[str, list[Artifact]], rules: Validation) -> Iterator[str]:
    """Names the pictures out of range, reading only splits whose statistics say there are any."""
    statistics = artifact_utils.get_single_instance(inputs["statistics"])
    for split in features.SPLITS:
        of_split = stats_artifact_utils.load_statistics(statistics, split).proto()
        sides = [
            round(side)
            for feature in of_split.datasets[0].features
            if feature.path.step[0] in (features.HEIGHT, features.WIDTH)
            for side in (feature.num_stats.min, feature.num_stats.max)
        ]
        if not comparison.in_range(min(sides), max(sides), rules):
            yield from _pictures_outside(
                artifact_utils.get_split_uri(inputs["examples"], split), rules
            )


def _pictures_outside(folder: str, rules: Validation) -> Iterator[str]:
    for record in read_records(folder).as_numpy_iterator():
        picture = Example(record)
        height, width = picture.number(features.HEIGHT), picture.number(features.WIDTH)
        if not comparison.in_range(height, width, rules):
            yield f"{picture.text(features.FILENAME)} ({height} x {width})"


def _anomalies(artifacts: list[Artifact]) -> Iterator[tuple[str, str, str]]:
    """Gives (split, feature, description) of what ExampleValidator found."""
    for split in features.SPLITS:
        folder = artifact_utils.get_split_uri(artifacts, split)
        with fileio.open(os.path.join(folder, "SchemaDiff.pb"), "rb") as file:
            found = anomalies_pb2.Anomalies.FromString(file.read())
        for name, information in sorted(found.anomaly_info.items()):
            yield split, name, information.description
        for reason in found.dataset_anomaly_info.reason:
            yield split, "the data", reason.description


def _refusal(findings: list[Finding], accepted: str | None) -> str:
    lines = "".join(f"\n  {finding.text}" for finding in findings)
    since = f" Classes were compared with the data accepted on {accepted}." if accepted else ""
    checks = dict.fromkeys(finding.check for finding in findings if finding.stops)
    words = " ".join(f"--set validation.{check}=report" for check in checks)
    return (
        f"The data did not pass:{lines}\n"
        f"Nothing was trained.{since} Mend the data, or accept it as it is, once, with {words}. "
        "Other classes for another purpose need a pipeline_name of their own."
    )
