"""The gate's rules on the golden set: a fixed labelled set beside the test split."""

from __future__ import annotations

import collections
from collections.abc import Iterator

import numpy as np

from components.artifacts import features, tfrecords
from components.artifacts.examples import Example
from components.artifacts.predictions import BASELINE, CANDIDATE
from components.errors import ConfigError
from components.evaluator import verdict
from components.evaluator.gate import OVERALL, Count, Row, Served, at_least, by_class, not_worse
from components.evaluator.kept import Answers
from components.settings.gate import Gate

GOLDEN = "golden_"
"""Before the metric of each row."""


def labels(folder: str, classes: list[str]) -> dict[str, str]:
    """Returns the class of each golden picture, by file.

    Args:
      folder: of the split.
      classes: that the candidate knows.

    Raises:
      ConfigError: it does not know one of them.
    """
    found = {}
    for record in tfrecords.read_records(folder).as_numpy_iterator():
        picture = Example(record)
        found[picture.text(features.FILENAME)] = picture.text(features.LABEL)
    unknown = sorted(set(found.values()) - set(classes))
    if unknown:
        raise ConfigError(
            f"gate.golden: no class {', '.join(map(repr, unknown[:5]))} in data.source, whose "
            f"classes are {', '.join(classes[:10])}{' and more' if len(classes) > 10 else ''}. "
            "Rename or remove those pictures."
        )
    return found


def judge(
    gate: Gate, of_file: dict[str, str], asked: dict[str, Answers | str], version: str
) -> Iterator[Row]:
    """Yields the rows: accuracy, recall of each class, and the accuracy of the model served now.

    Args:
      gate: the thresholds, those of the test split.
      of_file: the class of each picture.
      asked: by model its answers, or why it can't be asked; the candidate can.
      version: of the model served now.
    """
    files = sorted(of_file)
    predicted = {
        model: dict(answers.predicted.items())
        for model, answers in asked.items()
        if isinstance(answers, Answers)
    }
    right = {
        model: np.array([of[file] == of_file[file] for file in files])
        for model, of in predicted.items()
    }
    accuracy = float(right[CANDIDATE].mean())
    yield at_least(f"{GOLDEN}accuracy", OVERALL, accuracy, gate.min_accuracy)
    pictures = collections.Counter(of_file.values())
    hits = collections.Counter(
        of_file[file] for file, hit in zip(files, right[CANDIDATE], strict=True) if hit
    )
    for name in sorted(pictures):
        least = gate.class_recall.get(name, gate.min_class_recall)
        count = Count(hits[name] / pictures[name], pictures[name])
        yield by_class(gate, f"{GOLDEN}recall", name, count, least, "")
    if BASELINE in asked:
        served = _served(asked[BASELINE], [of_file[file] for file in files], right, version)
        metric = f"{GOLDEN}accuracy_vs_served"
        yield not_worse(gate, accuracy, served, metric, "the model served now")


def _served(
    asked: Answers | str, labels: list[str], right: dict[str, np.ndarray], version: str
) -> Served:
    if isinstance(asked, str):
        return Served(version, fault=asked)
    shared = np.isin(labels, asked.classes)
    return verdict.compared(version, shared, right[CANDIDATE], right[BASELINE])
