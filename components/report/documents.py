"""The files of a report: the page for people, the card, and the same metrics for machines."""

from __future__ import annotations

import json
from typing import Any

from components.artifacts.report_files import CONFIGURATION, REPORT_PAGE
from components.report.card import card
from components.report.page import render
from components.report.page_data import Run

MODEL_CARD, METRICS, VERDICT = "model_card.md", "metrics.json", "verdict.json"


def of(run: Run) -> dict[str, str]:
    """Returns the text of every file by its name; without a verdict, page and configuration."""
    texts = {REPORT_PAGE: render(run), CONFIGURATION: _json(run.configuration)}
    if run.verdict:
        texts[MODEL_CARD] = card(run)
        texts[METRICS] = _json(metrics(run))
        texts[VERDICT] = _json(verdict(run))
    return texts


def metrics(run: Run) -> dict[str, Any]:
    """Returns the content of `metrics.json`: all metrics of the page."""
    return {
        "run_id": run.run_id,
        "data_fingerprint": run.ingest["fingerprint"],
        "classes": run.classes,
        "counts": run.ingest["counts"],
        "best_epoch": run.history.get("best"),
        **run.verdict["metrics"],
        "confusion": run.confusion.tolist(),
        "versions": run.versions,
        "seconds": {row["node"]: row["seconds"] for row in run.nodes},
    }


def verdict(run: Run) -> dict[str, Any]:
    """Returns the content of `verdict.json`: the gate's rows and the verdict on the candidate."""
    keys = ("verdict", "bless_reason", "gate", "notes", "served_version")
    return {
        "run_id": run.run_id,
        **{key: run.verdict[key] for key in keys},
        "pushed_version": int(run.pushed_version) if run.pushed_version else None,
    }


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)
