"""A run made up on the spot, and what a reader finds on its page."""

from __future__ import annotations

import dataclasses
import io
import json
from datetime import datetime, timezone
from html.parser import HTMLParser
from typing import Any

import numpy as np
from PIL import Image

from components.report.answers import read_answers
from components.report.run import Run, shown_mistakes

CLASSES = ["apple", "pear", "quince"]


def prediction(file: str, label: str, scores: dict[str, float]) -> str:
    """A line of a Predictions artifact."""
    candidate = {"classes": list(scores), "scores": list(scores.values())}
    row = {"file": file, "sha256": "0", "label": label, "candidate": candidate}
    return json.dumps(row, ensure_ascii=False)


def predictions(classes: list[str], pictures: int, right: float, seed: int = 0) -> list[str]:
    """Lines about `pictures` pictures, the share `right` of them (about) classified correctly."""
    random = np.random.default_rng(seed)
    lines = []
    for number in range(pictures):
        label = int(random.integers(len(classes)))
        scores = random.dirichlet(np.ones(len(classes)))
        best, wanted = int(np.argmax(scores)), label
        if random.random() >= right:
            wanted = (label + 1 + int(random.integers(len(classes) - 1))) % len(classes)
        scores[[best, wanted]] = scores[[wanted, best]]
        name = classes[label]
        by_class = dict(zip(classes, scores.tolist(), strict=True))
        lines.append(prediction(f"{name}/{number}.png", name, by_class))
    return lines


def run(classes: list[str] = CLASSES, pictures: int = 60, right: float = 0.7) -> Run:
    """A run whose gate refused one threshold of each kind it has."""
    answers = read_answers(predictions(classes, pictures, right), classes)
    accuracy = sum(answer.label == answer.predicted for answer in answers) / pictures
    recall = {name: 0.25 + 0.5 * index / len(classes) for index, name in enumerate(classes)}
    rows = [row("accuracy", "overall", accuracy, ">= 0.9", accuracy >= 0.9)]
    rows += [row("recall", name, found, ">= 0.5", found >= 0.5) for name, found in recall.items()]
    metrics = {"pictures": pictures, "accuracy": accuracy, "class_recall": recall}
    made = Run(
        classes=classes,
        ingest={
            "fingerprint": "f1" * 32,
            "accepted": 100 * len(classes),
            "rejected": [{"file": "pear/x.png", "label": classes[0], "reason": "empty file"}],
            "rejected_by_reason": {"empty file": 1},
            "ignored": 4,
            "duplicates": {"count": 0, "listed": []},
            "near_duplicates": {"count": 0, "listed": []},
            "notes": [],
            "counts": {
                split: {name: first + index for index, name in enumerate(classes)}
                for split, first in {"train": 80, "eval": 10, "test": 20}.items()
            },
        },
        acceptance={"compared_with": None, "findings": [], "counts": {}, "accepted": "now"},
        history=history(frozen=3, unfrozen=2),
        verdict={
            "verdict": "refused",
            "gate": rows,
            "metrics": {"candidate": metrics},
            "served_version": None,
            "classes": classes,
        },
        answers=answers,
        pictures={},
        configuration={
            "pipeline_name": "fruit",
            "push": {"directory": "/srv/my models"},
            "training": {"class_weights": None},
        },
        pushed_version="",
        made=datetime(2026, 11, 22, 9, 5, tzinfo=timezone.utc),
    )
    pictures_by_file = {mistake.file: picture() for mistake in shown_mistakes(answers)}
    return dataclasses.replace(made, pictures=pictures_by_file)


def row(metric: str, of: str, found: float | None, needed: str, passed: bool) -> dict[str, Any]:
    return {"metric": metric, "slice": of, "found": found, "needed": needed, "passed": passed}


def history(frozen: int, unfrozen: int) -> dict[str, Any]:
    """Losses that fall from epoch to epoch, so the last epoch is the best."""
    epochs = []
    for phase, count in (("frozen", frozen), ("unfrozen", unfrozen)):
        for number in range(count):
            loss = 1.0 / (len(epochs) + 1)
            epochs.append(
                {"phase": phase, "epoch": number + 1, "loss": loss, "accuracy": 1 - loss / 2}
                | {"val_loss": 1.5 * loss, "val_accuracy": 1 - loss, "learning_rate": 0.01}
                | {"seconds": 2.0}
            )
    return {"epochs": epochs, "best": dict(epochs[-1])}


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("P", (600, 400)).save(file, "PNG")
    return file.getvalue()


class Page(HTMLParser):
    """What a parser makes of the page.

    Attributes:
      tags: (tag, attributes) of every element.
      tables: of every table the texts of its cells, by row.
      heading: the text of the first-level heading.
      text: all text, the style sheet left out.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[list[list[str]]] = []
        self.heading = ""
        self.text = ""
        self._inside = ""
        self._cell: list[str] | None = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self._cell = []

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""
        if tag in ("td", "th") and self._cell is not None:
            self.tables[-1][-1].append(" ".join("".join(self._cell).split()))
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)
        if self._inside == "h1":
            self.heading += data
        if self._inside != "style":
            self.text += data

    def table(self, first_heading: str) -> list[list[str]]:
        """The rows of the table whose first column is called this, without its heading."""
        return next(rows[1:] for rows in self.tables if rows[0][0] == first_heading)
