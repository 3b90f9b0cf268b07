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

from components.artifacts.predictions import read
from components.report.doubts import Doubt
from components.report.page_data import Run, Sample
from components.trainer.history import History

CLASSES = ["apple", "pear", "quince"]


def form_row(form: str, size: int, rates: list[float]) -> dict[str, object]:
    batches = [
        {"size": batch, "pictures_per_second": rate, "milliseconds": 1000 * batch / rate}
        for batch, rate in zip((1, 32), rates, strict=True)
    ]
    return {"form": form, "bytes": size, "batches": batches}


EXPORT = {
    "precision": "bfloat16",
    "average_flips": ["horizontal"],
    "pictures": 50,
    "agreement": 0.98,
    "max_score_difference": 0.012,
    "rows": [
        form_row("float32", 87_000_000, [20.0, 40.0]),
        form_row("served", 43_600_000, [25.0, 60.0]),
    ],
}


def prediction(
    file: str, label: str, scores: dict[str, float], baseline: dict[str, float] | None = None
) -> str:
    """A line of a Predictions artifact."""
    row = {"file": file, "sha256": "0", "label": label, "height": 400, "width": 600, "columns": {}}
    answers = {"candidate": list(scores.values())}
    if baseline is not None:
        answers["baseline"] = list(baseline.values())
    return json.dumps({**row, **answers}, ensure_ascii=False)


def predictions(classes: list[str], pictures: int, right: float, seed: int = 0) -> list[str]:
    """Lines about `pictures` pictures, the share `right` of them (about) classified correctly.

    The baseline answers at random.
    """
    random = np.random.default_rng(seed)
    lines = []
    for number in range(pictures):
        label = number % len(classes)
        scores = random.dirichlet(np.ones(len(classes)))
        best, wanted = int(np.argmax(scores)), label
        if random.random() >= right:
            wanted = (label + 1 + int(random.integers(len(classes) - 1))) % len(classes)
        scores[[best, wanted]] = scores[[wanted, best]]
        other = random.dirichlet(np.ones(len(classes)))
        both = [dict(zip(classes, given.tolist(), strict=True)) for given in (scores, other)]
        lines.append(prediction(f"{classes[label]}/{number}.png", classes[label], *both))
    return lines


def models(classes: list[str], baseline: bool = False) -> dict[str, Any]:
    """The content of `models.json`."""
    served = {"version": "3", "classes": classes} if baseline else None
    return {"candidate": {"classes": classes}, "baseline": served}


def doubts(files: list[str]) -> list[Doubt]:
    """Four labels in doubt and one that is not."""
    return [
        Doubt(file, "ab" * 32, "test", "pear", "apple", 0.9 - at / 10, 0.05, at < 4)
        for at, file in enumerate(files[:5])
    ]


def run(
    classes: list[str] = CLASSES, pictures: int = 60, right: float = 0.7, baseline: bool = False
) -> Run:
    """A run whose gate refused one threshold of each kind it has."""
    answers = read(models(classes, baseline), predictions(classes, pictures, right))
    recall = {name: 0.25 + 0.5 * index / len(classes) for index, name in enumerate(classes)}
    metrics = figures(classes, pictures, recall)
    metrics["accuracy"] = accuracy = float(answers.correct("candidate").mean())
    rows = [row("accuracy", "overall", accuracy, ">= 0.9", accuracy >= 0.9)]
    rows += [row("recall", name, found, ">= 0.5", found >= 0.5) for name, found in recall.items()]
    made = Run(
        classes=classes,
        ingest={
            "fingerprint": "f1" * 32,
            "accepted": 100 * len(classes),
            "rejected": [{"file": "pear/x.png", "label": classes[0], "reason": "empty file"}],
            "rejected_by_reason": {"empty file": 1},
            "ignored": 4,
            "notes": [],
            "counts": {
                split: {name: first + index for index, name in enumerate(classes)}
                for split, first in {"train": 80, "eval": 10, "test": 20}.items()
            },
            "duplicates": {"count": 0, "listed": []},
            "near_duplicates": {"count": 0, "listed": []},
            "quality": {
                "median": {"brightness": 120.0, "width": 640.0},
                "classes": dict.fromkeys(classes, 100),
                "counts": {"dark": {classes[0]: 2}},
                "listed": {"dark": [{"file": "dark.png", "label": classes[0]}]},
                "shortcuts": [{"by": "size and shape", "accuracy": 0.9, "majority": 0.5}],
                "before": None,
            },
        },
        acceptance={"compared_with": None, "findings": [], "counts": {}, "accepted": "now"},
        samples=[Sample(name, f"{name}/s.png", picture()) for name in classes[:4]],
        history=history(frozen=3, unfrozen=2),
        trials=trials(),
        lite=lite(),
        logs="/runs/my logs",
        verdict={
            "verdict": "refused",
            "bless_reason": None,
            "gate": rows,
            "notes": ["No model is served yet."],
            "metrics": {"candidate": metrics} | ({"baseline": metrics} if baseline else {}),
            "served_version": "3" if baseline else None,
            "classes": classes,
        },
        predictions=answers,
        configuration={
            "pipeline_name": "fruit",
            "image": {"size": [30, 40], "fit": "stretch"},
            "model": {"backbone": "mobilenet", "weights": None},
            "push": {"directory": "/srv/my models"},
            "training": {"class_weights": None, "seed": 5},
            "report": {"heat_maps": 6, "doubts": 3},
        },
        doubts=doubts(answers.files),
        doubtful_pictures={answers.files[0]: picture()},
        pushed_version="",
        nodes=[{"node": "Trainer", "seconds": 12.5}, {"node": "Pusher", "seconds": 0.1}],
        versions={"keras": "3.12.4"},
        made=datetime(2026, 11, 22, 9, 5, tzinfo=timezone.utc),
        run_id="20261122-090000-abcd",
    )
    heat = np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3)
    return dataclasses.replace(
        made,
        pictures={file: picture() for file in made.shown_files},
        heat_maps={answer.file: heat for answer in made.looked_at},
    )


def figures(classes: list[str], pictures: int, recall: dict[str, Any]) -> dict[str, Any]:
    """A model's metrics as they stand in a verdict."""
    by_class = dict.fromkeys(classes, 0.5)
    whole = ("balanced_accuracy", "macro_precision", "macro_recall", "macro_f1", "macro_auc")
    return {
        "pictures": pictures,
        "top_k": 2,
        "top_k_accuracy": 0.9,
        **dict.fromkeys(whole, 0.5),
        "log_loss": 0.7,
        "calibration_error": 0.08,
        "class_pictures": dict.fromkeys(classes, pictures // len(classes)),
        "class_recall": recall,
        **{f"class_{figure}": by_class for figure in ("precision", "f1", "auc")},
        "intervals": {
            "accuracy": [0.6, 0.8],
            "macro_f1": [0.4, 0.6],
            "calibration_error": [0.05, 0.12],
            "class_recall": dict.fromkeys(classes, [0.2, 0.9]),
            "class_precision": dict.fromkeys(classes),
        },
        "slices": [
            {
                "column": "picture_size",
                "value": "256-511 px",
                "pictures": pictures,
                "accuracy": 0.7,
                "balanced_accuracy": 0.6,
                "macro_f1": 0.5,
                "log_loss": 0.7,
            }
        ],
    }


def row(metric: str, of: str, found: float | None, needed: str, passed: bool) -> dict[str, Any]:
    return {"metric": metric, "slice": of, "found": found, "needed": needed, "passed": passed}


def history(frozen: int, unfrozen: int) -> dict[str, Any]:
    """Losses that fall from epoch to epoch, so the last epoch is the best."""
    epochs: list[dict[str, Any]] = []
    for phase, count in (("frozen", frozen), ("unfrozen", unfrozen)):
        for number in range(count):
            loss = 1.0 / (len(epochs) + 1)
            epochs.append(
                {"phase": phase, "epoch": number + 1, "loss": loss, "accuracy": 1 - loss / 2}
                | {"val_loss": 1.5 * loss, "val_accuracy": 1 - loss, "learning_rate": 0.01}
                | {"seconds": 2.0}
            )
    return json.loads(History(epochs, epochs[-1]).as_json())


def lite() -> dict[str, Any]:
    """The content of `lite.json`, with its folder; the second file was not kept."""
    compared = {"pictures": 50, "agreement": 0.98, "max_score_difference": 0.0123}
    rows = [{"file": "model-float16.tflite", "bytes": 6_400_000, "refused": "", **compared}]
    rows += [{**rows[0], "file": "model-int8.tflite", "refused": "a score differs by 0.500"}]
    return {"input": [1, 30, 40, 3], "files": rows, "folder": "/runs/my files"}


def trials(done: int = 3, diverged: int = 1) -> list[dict[str, Any]]:
    """Returns the Tuner's trials, the best first."""
    return [
        {
            "trial_id": f"{number:02}",
            "score": 0.1 * number if number < done else None,
            "val_accuracy": 1 - 0.1 * number if number < done else None,
            "epochs": 5,
            "values": {"units": 64 * number, "learning_rate": 0.00123},
        }
        for number in range(done + diverged)
    ]


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("P", (600, 400)).save(file, "PNG")
    return file.getvalue()


class Page(HTMLParser):
    """Parses the page.

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
