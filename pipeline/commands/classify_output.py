"""How `classify` writes predictions: as text, as JSON, a line per picture each, or as a table."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, TextIO

from components.artifacts.rate_interval import wilson
from pipeline.commands.named_pictures import ByPicture, Picture
from serving.names import as_text, cell, shown

if TYPE_CHECKING:
    from serving.client import Prediction

Write = Callable[[Picture, "Prediction | None", str], None]
"""Writes a picture's prediction, or in its place the reason why there is none."""


class _Truth:
    """The classes that folders name, where those are the model's, and how often it is right."""

    def __init__(self, folders: ByPicture):
        self._folders = folders
        self.pictures = self.right = 0

    def of(self, image: Picture, answer: Prediction) -> str | None:
        """Returns the class that the picture's folder names, and counts; None for another name."""
        truth = next((name for name in self._folders[image] if name in answer.classes), None)
        if truth is not None:
            self.pictures += 1
            self.right += answer.classes[0] == truth
        return truth

    def is_told(self, answer: Prediction) -> bool:
        """Checks whether any folder is named by a class of the model."""
        classes = {*answer.classes}
        return any(not classes.isdisjoint(names) for names in {*self._folders.values()})

    def sentence(self) -> str:
        """Returns the accuracy in words."""
        low, high = wilson(self.right, self.pictures)
        return (
            f"Accuracy {self.right / self.pictures:.4f} (95 %: {low:.4f} to {high:.4f}) on "
            f"{self.pictures} pictures in folders that are named by class"
        )

    def document(self) -> dict[str, object]:
        """Returns the accuracy for programs."""
        return {
            "accuracy": self.right / self.pictures,
            "accuracy_interval": list(wilson(self.right, self.pictures)),
            "pictures": self.pictures,
        }


@contextmanager
def _text(file: TextIO, top: int, folders: ByPicture) -> Iterator[Write]:
    """A line per picture; at the end the accuracy, where folders are named by class."""
    truths = _Truth(folders)

    def write(image: Picture, answer: Prediction | None, reason: str) -> None:
        if answer is None:
            print(f"{shown(image)}  error: {shown(reason)}", file=sys.stderr, flush=True)
            return
        best = "  ".join(f"{shown(name)} {score:.4f}" for name, score in _best(answer, top))
        doubt = "  (not certain)" if answer.certain is False else ""
        truth = truths.of(image, answer)
        wrong = "" if truth in (None, answer.classes[0]) else f"  (is {shown(truth)})"
        print(f"{shown(image)}  {best}{doubt}{wrong}", file=file, flush=True)

    yield write
    if truths.pictures:
        print(truths.sentence(), file=file, flush=True)


@contextmanager
def _json(file: TextIO, top: int, folders: ByPicture) -> Iterator[Write]:
    """A document per picture; the accuracy follows on standard error, as a document, too."""
    truths = _Truth(folders)

    def write(image: Picture, answer: Prediction | None, reason: str) -> None:
        name = as_text(str(image))
        document: dict[str, object] = {"file": name, "error": as_text(reason)}
        if answer is not None:
            best = _best(answer, top)
            classes, scores = [each for each, _ in best], [score for _, score in best]
            document = {"file": name, "classes": classes, "scores": scores}
            if answer.certain is not None:
                document["certain"] = answer.certain
            if (truth := truths.of(image, answer)) is not None:
                document["truth"] = truth
        print(json.dumps(document, ensure_ascii=False), file=file, flush=True)

    yield write
    if truths.pictures:
        print(json.dumps(truths.document()), file=sys.stderr, flush=True)


@contextmanager
def _csv(file: TextIO, top: int, folders: ByPicture) -> Iterator[Write]:
    """A row per picture: file, error, the best classes, each with its score, and what more is told.

    The first prediction decides whether there are the columns `truth` and `certain`. Names are
    escaped, and none begins as a formula that a spreadsheet would run. The accuracy follows on
    standard error.
    """
    table = csv.writer(file, lineterminator="\n")
    pairs = [f"{kind}_{rank + 1}" for rank in range(top) for kind in ("class", "score")]
    truths = _Truth(folders)
    further: list[str] | None = None
    waiting: list[tuple[Picture, str]] = []  # pictures without a prediction, before the first one

    def begin(more: list[str]) -> None:
        nonlocal further
        further = more
        table.writerow(["file", "error", *pairs, *more])
        for image, reason in waiting:
            write(image, None, reason)

    def write(image: Picture, answer: Prediction | None, reason: str) -> None:
        if further is None:
            if answer is None:
                waiting.append((image, reason))
                return
            told = {"truth": truths.is_told(answer), "certain": answer.certain is not None}
            begin([name for name, there in told.items() if there])
        assert further is not None
        best = _best(answer, top) if answer else []
        cells = [each for name, score in best for each in (cell(name), score)]
        last = {"truth": "", "certain": ""}
        if answer is not None:
            last["truth"] = cell(truths.of(image, answer) or "")
            last["certain"] = {None: "", True: "true", False: "false"}[answer.certain]
        padding = [""] * (len(pairs) - len(cells))
        row = [cell(image), cell(reason), *cells, *padding, *(last[name] for name in further)]
        table.writerow(row)
        file.flush()

    yield write
    if further is None:
        begin([])
    if truths.pictures:
        print(truths.sentence(), file=sys.stderr, flush=True)


STYLES: dict[str, Callable[[TextIO, int, ByPicture], AbstractContextManager[Write]]] = {
    "text": _text,
    "json": _json,
    "csv": _csv,
}


def _best(answer: Prediction, top: int) -> list[tuple[str, float]]:
    return list(zip(answer.classes, answer.scores, strict=True))[:top]
