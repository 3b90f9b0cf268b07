"""Two runs of the same pictures in different places made the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from components.artifacts import features
from components.artifacts.examples import Example
from components.artifacts.tfrecords import read_records


class Made(Protocol):
    """A run that has ended."""

    @property
    def result(self) -> dict[str, Any]:
        """What programs read of it."""

    def output(self, component: str, name: str) -> str | Path:
        """The folder of an output, on whatever file system."""


def assert_same(found: Made, expected: Made) -> None:
    """Checks examples, splits, features, metrics and the gate's verdict.

    Features may differ in what another order of additions makes of them.
    """
    assert found.result["error"] is None and found.result["verdict"] == "pushed"
    for split in features.SPLITS:
        assert _examples(found, split) == _examples(expected, split)
    for split in (features.TRAIN, features.EVAL):
        rows, known = _bottlenecks(found, split), _bottlenecks(expected, split)
        assert rows.keys() == known.keys()
        for file, values in rows.items():
            assert np.corrcoef(values, known[file])[0, 1] > 0.9999
    metrics, of_expected = found.result["metrics"], expected.result["metrics"]
    assert metrics.keys() == of_expected.keys()
    for metric in ("accuracy", "balanced_accuracy", "class_recall", "class_pictures"):
        assert metrics[metric] == of_expected[metric]
    assert _judged(found) == _judged(expected)


def _examples(run: Made, split: str) -> dict[str, bytes]:
    """Returns the Examples of a split by file, of which each is there once."""
    rows = _rows(run, "ImageExampleGen", "examples", split)
    found = {Example(row).text(features.FILENAME): row for row in rows}
    assert len(found) == len(rows)
    return found


def _bottlenecks(run: Made, split: str) -> dict[str, np.ndarray]:
    rows = map(Example, _rows(run, "BottleneckGen", "bottlenecks", split))
    return {row.text(features.FILENAME): np.array(row.floats(features.BOTTLENECK)) for row in rows}


def _rows(run: Made, component: str, name: str, split: str) -> list[bytes]:
    folder = f"{run.output(component, name)}/Split-{split}"
    return list(read_records(folder).as_numpy_iterator())


def _judged(run: Made) -> list[list[Any]]:
    return [[row["metric"], row["slice"], row["passed"]] for row in run.result["gate"]]
