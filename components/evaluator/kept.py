"""The best of the older versions that the push directory keeps, on the test pictures.

A candidate that is a little worse than the model served now, by no more than chance explains, is
pushed. Many such steps would add up; held against the best version that is kept they don't.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from tfx.types import Artifact

from components.artifacts import features, tfrecords
from components.artifacts.examples import Example
from components.artifacts.predictions import CANDIDATE, Predictions
from components.artifacts.rows import Rows
from components.artifacts.text_map import TextMap
from components.artifacts.types import KEPT_VERSIONS, SERVED_VERSION
from components.evaluator import loaded_model, verdict
from components.evaluator.gate import Served
from components.step import progress

_BATCH = 8  # encoded pictures held at a time; they may have millions of pixels


@dataclasses.dataclass(frozen=True)
class Answers:
    """The predictions of one version on the test pictures."""

    classes: list[str]
    predicted: Mapping[str, str]  # by file


def ask(baseline: Artifact, reference: str | int | None, test: str) -> dict[str, Answers | str]:
    """Runs the older versions on the test pictures, one after the other.

    Args:
      baseline: names them.
      reference: `gate.reference`: which of them.
      test: the folder of the test split.

    Returns:
      By version, its answers, or the fault why it can't be asked.
    """
    kept: dict[str, dict[str, str]] = json.loads(
        baseline.get_string_custom_property(KEPT_VERSIONS) or "{}"
    )
    if reference is None or str(reference) == baseline.get_string_custom_property(SERVED_VERSION):
        return {}  # the gate compares with the served one in any case
    wanted = list(kept) if reference == "best" else [str(reference)]
    return {version: _asked(version, kept.get(version), test) for version in wanted}


def _asked(version: str, known: Mapping[str, str] | None, test: str) -> Answers | str:
    if known is None or not Path(known["folder"]).is_dir():
        return "the push directory does not keep it"
    progress.report(f"version {version} on the test split")
    return answers_of(known["folder"], test)


def answers_of(model_folder: str, pictures: str) -> Answers | str:
    """Returns a model's answers to the pictures of a split's folder, or why it can't be asked."""
    try:
        model = loaded_model.LoadedModel(model_folder)
        batches = _batches(pictures)
        first = next(batches)
        classes = model.classes(first)
        predicted = Rows.of(_predicted(model, classes, itertools.chain([first], batches)))
    except (loaded_model.CannotPredict, tf.errors.OpError) as error:
        return " ".join(str(error).split())[:400]
    return Answers(classes, TextMap(predicted, "file", "label"))


def _predicted(
    model: loaded_model.LoadedModel, classes: list[str], batches: Iterable[list[bytes]]
) -> Iterator[dict[str, str]]:
    for batch in batches:
        for example, scores in zip(batch, model.scores(batch), strict=True):
            name = Example(example).text(features.FILENAME)
            yield {"file": name, "label": max(classes, key=scores.__getitem__)}


def not_asked(asked: Mapping[str, Answers | str]) -> list[str]:
    """Returns a sentence for each version that can't be asked."""
    return [
        f"Version {version}, which the push directory keeps, is not compared: {fault}."
        for version, fault in asked.items()
        if isinstance(fault, str)
    ]


def _batches(folder: str) -> Iterator[list[bytes]]:
    for batch in tfrecords.read_records(folder).batch(_BATCH).as_numpy_iterator():
        yield batch.tolist()


def best(
    asked: Mapping[str, Answers | str], answered: Predictions, reference: str | int | None
) -> Served | None:
    """Returns the comparison with the version that is the most ahead of the candidate.

    None where the served one is as far ahead. One that can't be asked is left out, unless it was
    named.
    """
    found = [
        _compared(version, answers, answered)
        for version, answers in asked.items()
        if isinstance(answers, Answers)
    ]
    if not found:
        faults = [(version, fault) for version, fault in asked.items() if isinstance(fault, str)]
        named = reference not in (None, "best")
        return Served(faults[0][0], fault=faults[0][1]) if named and faults else None
    first = max((each for each in found if each), key=lambda each: each.ahead, default=None)
    if first is None or reference != "best":
        return first
    served = verdict.served(answered)
    if served is not None and served.pairs is not None and served.ahead >= first.ahead:
        return None
    return first


def _compared(version: str, answers: Answers, answered: Predictions) -> Served | None:
    known = [index for index, name in enumerate(answered.classes) if name in answers.classes]
    shared = np.isin(answered.labels, known)
    if not shared.any():
        return None
    predicted = TextMap.of(answers.predicted, "file", "label")
    label, labels = predicted.rows.shared("label")
    place = {name: at for at, name in enumerate(answered.classes)}
    told = np.array([*(place.get(name, -1) for name in labels), -1], np.int64)[np.append(label, -1)]
    at = predicted.positions(Rows.of({"file": file} for file in answered.files))
    right = told[at] == answered.labels
    return verdict.compared(version, shared, answered.correct(CANDIDATE), right)
