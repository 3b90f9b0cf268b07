"""Gathers what a run left, whole or broken off, for its page."""

from __future__ import annotations

import collections
import dataclasses
import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from tfx.dsl.io import fileio
from tfx.types import Artifact, artifact_utils

from components.artifacts import export_record, features, gate_rows, predictions, score_facts
from components.artifacts import types as artifact_types
from components.fit import tuned_settings
from components.report import dead_features, doubts, picture_records
from components.report.page_data import Run, Sample
from components.step.versions import version_of

_PACKAGES = (
    "transfer-pipeline",
    "tensorflow",
    "keras",
    "tfx",
    "tensorflow-transform",
    "tensorflow-model-analysis",
    "apache-beam",
)
_SAMPLES, _MOST_OF_A_CLASS = 48, 6  # pictures shown of the train split
_LOOKED_THROUGH = 3000  # pictures, for samples of rare classes and for near-duplicates
_LOOKED_THROUGH_FOR_DOUBTS = 50_000  # pictures of each split
_GOOD_ENOUGH = {(metric, "overall") for metric in ("accuracy", "accuracy_vs_majority")}
"""The rows of the gate without which a candidate's predictions say nothing of labels."""
_OF_A_KIND = 6  # unusual pictures that are shown
_PAIRS = 20  # near-duplicates that may be shown as pictures


def gather(inputs: Mapping[str, Artifact], **known: Any) -> Run:
    """Returns the run, as far as its artifacts are there.

    Args:
      inputs: the artifacts by the name of Report's inputs.
      known: further attributes of the Run; `configuration` must be among them.
    """
    versions = {name: version for name in _PACKAGES if (version := version_of(name))}
    found: dict[str, Any] = {"made": datetime.now(timezone.utc), "versions": versions, **known}
    for name, key in (("classes", "class_list"), ("ingest", "ingest_report")):
        if key in inputs:
            found[name] = artifact_types.read(inputs[key])
    nothing: dict[str, Any] = {"findings": [], "compared_with": None}
    if "ingest" in found:
        found["acceptance"] = _document(inputs.get("acceptance")) or nothing
    if "examples" in inputs and found.get("classes"):
        train = artifact_utils.get_split_uri([inputs["examples"]], features.TRAIN)
        found["samples"] = samples(train, found["classes"])
    if "examples" in inputs and "ingest" in found:
        near = found["ingest"]["near_duplicates"]["listed"][:_PAIRS]
        pairs = {row[end] for row in near for end in ("file", "like")}
        kinds = found["ingest"].get("quality", {}).get("listed", {})
        odd = {row["file"] for rows in kinds.values() for row in rows[:_OF_A_KIND]}
        seen = picture_records.encoded(inputs, pairs | odd, most=_LOOKED_THROUGH)
        found["alike"] = {file: seen[file] for file in pairs if file in seen}
        found["unusual"] = {file: seen[file] for file in odd if file in seen}
    if "tuner_results" in inputs:
        found["trials"] = tuned_settings.read_trials(inputs["tuner_results"])
    if "lite_model" in inputs:
        lite = inputs["lite_model"]
        found["lite"] = artifact_types.read(lite) | {"folder": lite.uri}
    if "model_run" in inputs:
        found |= _training(inputs["model_run"])
    if "bottlenecks" in inputs:
        found["dead_features"] = dead_features.count(inputs["bottlenecks"])
    if "model" in inputs:
        found["scoring"] = score_facts.read(inputs["model"].uri)
    if "verdict" in inputs:
        found["verdict"] = _verdict(inputs)
        found["predictions"] = predictions.read_from(inputs["predictions"].uri)
    if "pushed_model" in inputs:
        pushed = inputs["pushed_model"]
        found["pushed_version"] = pushed.get_string_custom_property("pushed_version")
    return Run(**found)


def with_doubts(run: Run, inputs: Mapping[str, Artifact]) -> Run:
    """Returns the run with the labels in doubt and the pictures of those that are shown."""
    if not run.configuration["report"].get("doubts", 0):
        return run
    report, bottlenecks = inputs["ingest_report"].uri, inputs.get("bottlenecks")
    judging = run.predictions if _judges_labels(run) else None
    found = doubts.find(run.classes, report, bottlenecks, judging)
    run = dataclasses.replace(run, doubts=found)
    shown: dict[str, bytes] = {}
    for split in features.SPLITS:
        files = {doubt.file for doubt in run.shown_doubts if doubt.split == split}
        shown |= picture_records.encoded(inputs, files, (split,), _LOOKED_THROUGH_FOR_DOUBTS)
    return dataclasses.replace(run, doubtful_pictures=shown)


def _judges_labels(run: Run) -> bool:
    """Checks whether the candidate is good enough to doubt a label of `test`."""
    rows = run.verdict.get("gate", ())
    return all(row["passed"] for row in rows if (row["metric"], row["slice"]) in _GOOD_ENOUGH)


def _document(artifact: Artifact | None) -> Any:
    return artifact and artifact_types.read(artifact)


def _verdict(inputs: Mapping[str, Artifact]) -> dict[str, Any]:
    """The gate's verdict with all rows that decide on the push."""
    document = artifact_types.read(inputs["verdict"])
    release = [inputs.get(name) for name in ("infra_blessing", "pushed_model")]
    infra, pushed = (artifact and artifact.mlmd_artifact for artifact in release)
    return document | {"gate": gate_rows.all_rows(document["gate"], infra, pushed)}


def _training(model_run: Artifact) -> dict[str, Any]:
    def content(name: str, mode: str = "rb") -> Any:
        path = artifact_types.path_in(model_run, name)
        return fileio.open(path, mode).read() if fileio.exists(path) else None

    history, record = content("history.json", "r"), export_record.read(model_run.uri)
    return {
        "export": record if "rows" in record else {},
        "history": json.loads(history) if history else {},
        "logs": model_run.uri,
        "augmented": content("augmented.png"),
    }


def samples(folder: str, classes: list[str]) -> list[Sample]:
    """Returns some pictures of each class, the same number where there are enough, by class.

    Of more than 48 classes the first ones are shown.
    """
    each = min(_MOST_OF_A_CLASS, max(1, _SAMPLES // len(classes)))
    wanted = set(classes[:_SAMPLES])
    found: dict[str, list[Sample]] = collections.defaultdict(list)
    for picture in picture_records.first(folder, _LOOKED_THROUGH):
        label = picture.text(features.LABEL)
        if label in wanted:
            name, encoded = picture.text(features.FILENAME), picture.encoded(features.ENCODED)
            found[label].append(Sample(label, name, encoded))
            if len(found[label]) == each:
                wanted.remove(label)
        if not wanted:
            break
    return [sample for label in classes for sample in found[label]]
