"""The content of a run's page, as plain data: drawing it needs neither TFX nor TensorFlow."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from components.artifacts.predictions import BASELINE, Predictions
from components.report.dead_features import DeadFeatures
from components.report.doubts import Doubt
from components.report.picture_predictions import (
    Answer,
    Answers,
    Change,
    answers_of,
    changed_sides,
    confusion,
    surest,
    worst_mistakes,
)

_SHOWN_MISTAKES = 12
_SHOWN_CHANGES = 12  # in each direction


class Sample(NamedTuple):
    """A picture of the train split."""

    label: str
    file: str
    encoded: bytes


@dataclasses.dataclass(frozen=True)
class Run:
    """One run. Every list by class follows `classes`.

    Attributes that a failed run did not come to are empty, and their sections are left out.

    Attributes:
      configuration: the run's configuration.
      made: when the page was made, in UTC.
      run_id: which run.
      error: why it failed; "" where it did not.
      classes: the class list.
      ingest: the ingest report.
      acceptance: DataValidator's `findings`, and what the data was `compared_with`, or None.
      alike: by file, encoded pictures of some near-duplicates.
      unusual: by file, encoded pictures of some that are unlike the others.
      samples: pictures of each class.
      history: of the training: `epochs`, one row each, and the `best` of them or None.
      dead_features: how many of the cached features are zero in all pictures; None where that is
        not known.
      trials: what Tuner tried, a row each, the best first.
      lite: the files for devices: `folder`, `input` (a shape), and `files`, a row each.
      export: how the served form of the network compares with its plain one, where they differ.
      logs: folder of the TensorBoard events.
      augmented: an encoded picture of augmented training pictures, or None.
      scoring: what was fitted to the scores, as `score_facts` describes it.
      verdict: the gate's verdict, with InfraValidator's row.
      predictions: the models' predictions for the test pictures.
      pictures: by file, the encoded test pictures that are shown.
      heat_maps: by file, where the model looked: [rows, columns] float32 in [0, 1].
      no_heat_maps: why there are none; "" where there are, or where nothing asked for them.
      doubts: the pictures whose label nobody has confirmed, the most doubtful first.
      doubtful_pictures: by file, the encoded pictures of those that are shown.
      pushed_version: the version that this run pushed; "" where it pushed none; None where that
        is not known.
      nodes: of each node `node` and `seconds`; a cached one has those of when it ran.
      versions: of the packages that made the model.
    """

    configuration: dict[str, Any]
    made: datetime
    run_id: str = ""
    error: str = ""
    classes: list[str] = dataclasses.field(default_factory=list)
    ingest: dict[str, Any] = dataclasses.field(default_factory=dict)
    acceptance: dict[str, Any] = dataclasses.field(default_factory=dict)
    alike: dict[str, bytes] = dataclasses.field(default_factory=dict)
    unusual: dict[str, bytes] = dataclasses.field(default_factory=dict)
    samples: list[Sample] = dataclasses.field(default_factory=list)
    history: dict[str, Any] = dataclasses.field(default_factory=dict)
    dead_features: DeadFeatures | None = None
    trials: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    lite: dict[str, Any] = dataclasses.field(default_factory=dict)
    export: dict[str, Any] = dataclasses.field(default_factory=dict)
    logs: str = ""
    augmented: bytes | None = None
    scoring: dict[str, Any] = dataclasses.field(default_factory=dict)
    verdict: dict[str, Any] = dataclasses.field(default_factory=dict)
    predictions: Predictions | None = None
    pictures: dict[str, bytes] = dataclasses.field(default_factory=dict)
    heat_maps: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    no_heat_maps: str = ""
    doubts: Sequence[Doubt] = dataclasses.field(default_factory=list)
    doubtful_pictures: dict[str, bytes] = dataclasses.field(default_factory=dict)
    pushed_version: str | None = None
    nodes: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    versions: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def quality(self) -> dict[str, Any]:
        """The ingest report's part on the pictures' quality; {} where it has none."""
        found: dict[str, Any] = self.ingest.get("quality", {})
        return found

    @functools.cached_property
    def in_doubt(self) -> list[Doubt]:
        """Those of the doubts that confident learning found."""
        return list(itertools.takewhile(lambda doubt: doubt.in_doubt, self.doubts))

    @property
    def shown_doubts(self) -> list[Doubt]:
        """Those that the page shows."""
        return self.in_doubt[: self.configuration["report"].get("doubts", 0)]

    @property
    def told_of_heat_maps(self) -> bool:
        """Whether the page has something to say of heat maps."""
        return bool(self.heat_maps or self.no_heat_maps)

    @functools.cached_property
    def answers(self) -> Answers:
        """The candidate's, by file."""
        assert self.predictions is not None
        return answers_of(self.predictions)

    @functools.cached_property
    def confusion(self) -> np.ndarray:
        """Test pictures by true class (down) and predicted class (across): int64."""
        assert self.predictions is not None
        return confusion(self.predictions)

    @functools.cached_property
    def mistakes(self) -> list[Answer]:
        """The mistakes that are shown, the worst first."""
        if self.predictions is None:
            return []
        return worst_mistakes(self.answers, _SHOWN_MISTAKES)

    @functools.cached_property
    def changes(self) -> tuple[list[Change], list[Change]]:
        """The pictures that turned right and wrong against the served model, by file."""
        if self.predictions is None or BASELINE not in self.predictions.scores:
            return [], []
        return changed_sides(self.predictions)

    @property
    def shown_changes(self) -> tuple[list[Change], list[Change]]:
        """Those of the changes whose pictures are shown."""
        right, wrong = self.changes
        return right[:_SHOWN_CHANGES], wrong[:_SHOWN_CHANGES]

    @functools.cached_property
    def looked_at(self) -> list[Answer]:
        """The pictures that get a heat map: the worst mistakes, then correct ones."""
        if self.predictions is None:
            return []
        most = self.configuration["report"]["heat_maps"]
        mistakes = worst_mistakes(self.answers, most // 2)
        return [*mistakes, *surest(self.answers, most - len(mistakes))]

    @property
    def shown_files(self) -> set[str]:
        """The test pictures that the page shows."""
        changes = [change.file for side in self.shown_changes for change in side]
        answers = [answer.file for answer in (*self.mistakes, *self.looked_at)]
        return {*changes, *answers}


class Section(NamedTuple):
    """One part of the page: `sections/NAME.html.j2` filled with what `values` gives.

    It is left out where one of the Run's attributes in `needs` is empty.
    """

    name: str
    title: str
    values: Callable[[Run], dict[str, Any]]
    needs: tuple[str, ...] = ()
