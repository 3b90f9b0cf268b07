"""Gathers what a run left, whole or broken off, for its page."""

from __future__ import annotations

import collections
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from importlib import metadata
from typing import Any

import tensorflow as tf
from tfx.dsl.io import fileio
from tfx.types import Artifact, artifact_utils

from components.artifacts import features, gate_rows, predictions
from components.artifacts import types as artifact_types
from components.fit import tuned_settings
from components.model.transform_graph import read_records
from components.report.page_data import Run, Sample

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
_LOOKED_THROUGH = 3000  # pictures, for samples of rare classes


def gather(inputs: Mapping[str, Artifact], **known: Any) -> Run:
    """Gives the run, as far as its artifacts are there.

    Args:
      inputs: the artifacts by the name of Report's inputs.
      known: further attributes of the Run; `configuration` must be among them.
    """
    found: dict[str, Any] = {"made": datetime.now(timezone.utc), "versions": _versions(), **known}
    for name, key in (("classes", "class_list"), ("ingest", "ingest_report")):
        if key in inputs:
            found[name] = artifact_types.read(inputs[key])
    nothing: dict[str, Any] = {"findings": [], "compared_with": None}
    if "ingest" in found:
        found["acceptance"] = _document(inputs.get("acceptance")) or nothing
    if "examples" in inputs and found.get("classes"):
        train = artifact_utils.get_split_uri([inputs["examples"]], features.TRAIN)
        found["samples"] = samples(train, found["classes"])
    if "tuner_results" in inputs:
        found["trials"] = tuned_settings.read_trials(inputs["tuner_results"])
    if "lite_model" in inputs:
        lite = inputs["lite_model"]
        found["lite"] = artifact_types.read(lite) | {"folder": lite.uri}
    if "model_run" in inputs:
        found |= _training(inputs["model_run"])
    if "verdict" in inputs:
        found["verdict"] = _verdict(inputs)
        found["predictions"] = predictions.read_from(inputs["predictions"].uri)
    if "pushed_model" in inputs:
        pushed = inputs["pushed_model"]
        found["pushed_version"] = pushed.get_string_custom_property("pushed_version")
    return Run(**found)


def _document(artifact: Artifact | None) -> Any:
    return artifact and artifact_types.read(artifact)


def _verdict(inputs: Mapping[str, Artifact]) -> dict[str, Any]:
    """The gate's verdict with all rows that decide on the push."""
    document = artifact_types.read(inputs["verdict"])
    if "infra_blessing" in inputs:
        infra = inputs["infra_blessing"]
        blessed = infra.get_int_custom_property("blessed") == 1
        row = gate_rows.servable(blessed, infra.get_string_custom_property("reason"))
        document["gate"].append(row)
    if "pushed_model" in inputs:
        pushed = inputs["pushed_model"]
        version = pushed.get_string_custom_property(gate_rows.WITHDRAWN_VERSION)
        document["gate"] += [gate_rows.withdrawn(version)] if version else []
    return document


def _training(model_run: Artifact) -> dict[str, Any]:
    def content(name: str, mode: str = "rb") -> Any:
        path = artifact_types.path_in(model_run, name)
        return fileio.open(path, mode).read() if fileio.exists(path) else None

    history = content("history.json", "r")
    return {
        "history": json.loads(history) if history else {},
        "logs": model_run.uri,
        "augmented": content("augmented.png"),
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def samples(folder: str, classes: list[str]) -> list[Sample]:
    """Gives some pictures of each class, the same number where there are enough, by class.

    Of more than 48 classes the first ones are shown.
    """
    each = min(_MOST_OF_A_CLASS, max(1, _SAMPLES // len(classes)))
    wanted = set(classes[:_SAMPLES])
    found: dict[str, list[Sample]] = collections.defaultdict(list)
    for feature in _features(folder, _LOOKED_THROUGH):
        label = _text(feature, features.LABEL)
        if label in wanted:
            encoded = feature[features.ENCODED].bytes_list.value[0]
            found[label].append(Sample(label, _text(feature, features.FILENAME), encoded))
            if len(found[label]) == each:
                wanted.remove(label)
        if not wanted:
            break
    return [sample for label in classes for sample in found[label]]


def pictures(folder: str, files: set[str]) -> dict[str, bytes]:
    """Gives the encoded pictures of a split that have these file names."""
    found = {}
    for feature in _features(folder) if files else ():
        name = _text(feature, features.FILENAME)
        if name in files:
            found[name] = feature[features.ENCODED].bytes_list.value[0]
    return found


def _features(folder: str, most: int = -1) -> Iterator[Any]:
    for record in read_records(folder).take(most).as_numpy_iterator():
        yield tf.train.Example.FromString(record).features.feature


def _text(feature: Any, name: str) -> str:
    return feature[name].bytes_list.value[0].decode()
