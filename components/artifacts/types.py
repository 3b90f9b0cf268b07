"""Artifact types of this pipeline beside TFX's standard ones. Each names its file's format."""

from __future__ import annotations

import json
import os
from typing import Any

from tfx.dsl.io import fileio
from tfx.types.artifact import Artifact


class ClassList(Artifact):
    """`classes.json`: the class names, sorted. Every index in the system is a position in it."""

    TYPE_NAME = "ClassList"


class IngestReport(Artifact):
    """`report.json`: counts per split and class, rejected files with reasons, ignored files;
    `ledger-*.parquet`: a row for every file, see `ledger_rows`; `pictures.parquet`: the accepted
    pictures, see `known_pictures`; `splits.parquet`: where they have been, for the next ingest."""

    TYPE_NAME = "IngestReport"


class DataAcceptance(Artifact):
    """`acceptance.json`: counts and findings of data that passed, when, and compared with what; the
    changes since then, and earlier names of classes. `pictures.parquet`: see `known_pictures`."""

    TYPE_NAME = "DataAcceptance"


class Bottlenecks(Artifact):
    """`Split-<split>/*.tfrecord`: the frozen base's output per picture, with its class name."""

    TYPE_NAME = "Bottlenecks"


OWN_BASE = "base.weights.h5"
"""In Bottlenecks: the base that computed them, where it is no published one."""


class LiteModel(Artifact):
    """`model-<kind>.tflite`: the candidate for devices; `labels.txt`; `lite.json`: how close each
    file comes to the SavedModel. One that does not come close is not there."""

    TYPE_NAME = "LiteModel"


LABELS = "labels.txt"
"""In LiteModel: the class names, escaped to one line each, in the order of the scores."""


class Predictions(Artifact):
    """`predictions-*.parquet`: a row per test picture with what candidate and baseline predict.

    `components.artifacts.prediction_rows` has the format, `predictions` reads it.
    """

    TYPE_NAME = "Predictions"


class GateVerdict(Artifact):
    """`verdict.json`: the gate's rows (metric, slice, found, needed, passed) and all metrics."""

    TYPE_NAME = "GateVerdict"


class Report(Artifact):
    """`report.html`, `model_card.md`; for programs `metrics.json`, `verdict.json` and
    `configuration.json`."""

    TYPE_NAME = "Report"


SERVED_VERSION = "served_version"
SERVED_DIGEST = "served_digest"
"""Properties of the baseline's Model artifact; both empty where no model is served."""

KEPT_VERSIONS = "kept_versions"
"""A property of the baseline's Model artifact: JSON of the older versions that the push directory
keeps, {NUMBER: {"folder", "digest"}}. They are read where they lie."""

COMPARED_WITH, NO_VERSION = "compared_with", "none"
"""A property of a ModelBlessing: the served version that the gate compared the candidate with."""

FILES = {
    ClassList: "classes.json",
    IngestReport: "report.json",
    DataAcceptance: "acceptance.json",
    GateVerdict: "verdict.json",
    LiteModel: "lite.json",
}
"""The JSON document of each type."""


def path_in(artifact: Artifact, name: str) -> str:
    """The path of `name` inside the artifact, on whatever file system it lies."""
    return os.path.join(artifact.uri, name)


def write(artifact: Artifact, value: Any) -> None:
    """Writes the one JSON document that an artifact of this type holds."""
    fileio.makedirs(artifact.uri)
    with fileio.open(path_in(artifact, FILES[type(artifact)]), "w") as file:
        file.write(json.dumps(value, indent=1, ensure_ascii=False))


def read(artifact: Artifact) -> Any:
    """Reads the one JSON document that an artifact of this type holds."""
    with fileio.open(path_in(artifact, FILES[type(artifact)]), "r") as file:
        return json.loads(file.read())
