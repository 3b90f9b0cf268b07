"""What a run's page is made of, as plain data: drawing it needs neither TFX nor TensorFlow."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from components.report.answers import Answer, confusion, worst_mistakes

_SHOWN_MISTAKES = 12


@dataclasses.dataclass(frozen=True)
class Run:
    """One run. Whatever is listed by class follows `classes`.

    Attributes:
      classes: the class list.
      ingest: the ingest report.
      acceptance: DataValidator's `findings`, and what the data was `compared_with`, or None.
      history: of the training: `epochs`, one row each, and the `best` of them or None.
      verdict: the gate's verdict.
      answers: the candidate's, one for each test picture.
      pictures: by file, the encoded picture of each of `mistakes`.
      configuration: the run's configuration.
      pushed_version: the version that this run pushed; "" where it pushed none; None where that
        is not known.
      made: when the page was made, in UTC.
    """

    classes: list[str]
    ingest: dict[str, Any]
    acceptance: dict[str, Any]
    history: dict[str, Any]
    verdict: dict[str, Any]
    answers: list[Answer]
    pictures: dict[str, bytes]
    configuration: dict[str, Any]
    pushed_version: str | None
    made: datetime

    @functools.cached_property
    def confusion(self) -> np.ndarray:
        """Test pictures by true class (down) and predicted class (across): int64."""
        return confusion(self.answers, len(self.classes))

    @functools.cached_property
    def mistakes(self) -> list[Answer]:
        """The mistakes that are shown, the worst first."""
        return shown_mistakes(self.answers)


def shown_mistakes(answers: list[Answer]) -> list[Answer]:
    """Gives the mistakes whose pictures a page shows."""
    return worst_mistakes(answers, _SHOWN_MISTAKES)


class Section(NamedTuple):
    """One part of the page: `sections/NAME.html.j2` filled with what `values` gives."""

    name: str
    title: str
    values: Callable[[Run], dict[str, Any]]
