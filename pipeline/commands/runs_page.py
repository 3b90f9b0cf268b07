"""The page of a root: what became of its runs, as one self-contained HTML file."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import math
import os
import statistics
import urllib.parse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from components.artifacts.report_files import CONFIGURATION, REPORT_PAGE
from components.files.paths import is_remote
from components.report.environment import TEMPLATES, environment
from pipeline.commands import trend
from pipeline.store import outputs
from pipeline.store.root import failed_folder
from pipeline.store.runs import Run
from serving import atomic_files, versions
from serving.names import shown

PAGE = "runs.html"
RESULT = "watch.json"
"""In the root: the latest result of `watch`."""
MOST_RUNS = 104
"""Two years of Mondays."""
_MOST_CLASSES = 30

Interval = tuple[float, float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One run, as the page shows it."""

    run_id: str
    pipeline: str | None
    date: str
    verdict: str | None
    why: list[str]
    version: int | None
    state: str | None
    """The version's state now: served, withdrawn, ..., or removed."""
    link: str | None
    """Of the report, relative to the page."""
    pictures: int | None
    accuracy: float | None
    accuracy_interval: Interval | None
    weakest: str | None
    recall: float | None
    recall_interval: Interval | None
    counts: dict[str, int]
    """By class, all splits together."""
    seconds: dict[str, float]
    """By step that ran and was not cached."""


def write(root: Path, found: Sequence[Run], file: Path) -> None:
    """Writes the page; a reader finds the old one or the new one at any moment.

    Args:
      root: the folder of runs.
      found: its runs, the newest first.
      file: the page.
    """
    rows = [_row(root, run, file.parent) for run in reversed(found[:MOST_RUNS])]
    text = render(
        root.absolute().name, rows, left_out=len(found) - len(rows), watched=_watched(root)
    )
    atomic_files.write(file, text)


def render(
    name: str, rows: Sequence[Row], left_out: int = 0, watched: dict[str, Any] | None = None
) -> str:
    """Returns the page as HTML; all names are escaped.

    Args:
      name: of the root.
      rows: the oldest first.
      left_out: how many older runs are not among them.
      watched: the latest result of `watch`; None where there is none.
    """
    templates = environment()
    own = Path(__file__).parent
    templates.loader = jinja2.FileSystemLoader([own, TEMPLATES])
    return templates.get_template("runs_page.html.j2").render(
        name=name,
        made=datetime.datetime.now(datetime.timezone.utc),
        pipelines={name: _shown(rows) for name, rows in _by_pipeline(rows).items()},
        left_out=left_out,
        watched=watched,
    )


def _watched(root: Path) -> dict[str, Any] | None:
    """Returns the latest result of `watch` on this root; None where there is none to read."""
    try:
        found = json.loads((root / RESULT).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return dict(found)


def _by_pipeline(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.pipeline or "unknown pipeline", []).append(row)
    return found


def _shown(rows: list[Row]) -> dict[str, Any]:
    """Returns what the template shows of one pipeline."""
    latest = rows[-1]
    classes = _class_counts(rows)
    return {
        "rows": rows[::-1],
        "latest": latest,
        "pushed": sum(row.verdict == "pushed" for row in rows),
        "refused": sum(row.verdict == "refused" for row in rows),
        "served": next((row for row in rows if row.state == "served"), None),
        "charts": [chart for chart in (_accuracy(rows), _recall(rows)) if chart],
        "classes": classes[:_MOST_CLASSES],
        "more_classes": max(0, len(classes) - _MOST_CLASSES),
        "steps": _steps(rows),
    }


def _accuracy(rows: list[Row]) -> tuple[str, Markup] | None:
    points = [
        trend.Point(at, row.accuracy, row.accuracy_interval, row.verdict == "pushed", _label(row))
        for at, row in enumerate(rows)
        if row.accuracy is not None
    ]
    return _chart("Accuracy", points, rows)


def _recall(rows: list[Row]) -> tuple[str, Markup] | None:
    points = [
        trend.Point(
            at,
            row.recall,
            row.recall_interval,
            row.verdict == "pushed",
            f"{_label(row)}, {row.weakest}",
        )
        for at, row in enumerate(rows)
        if row.recall is not None
    ]
    return _chart("Lowest recall of a class", points, rows)


def _chart(title: str, points: list[trend.Point], rows: list[Row]) -> tuple[str, Markup] | None:
    if not points:
        return None
    alt = f"{title}, run after run; the last: {100 * points[-1].value:.1f} %"
    return title, trend.chart(points, [row.date[:10] for row in rows], alt)


def _label(row: Row) -> str:
    return f"{row.date} {row.run_id}: {row.verdict}"


def _class_counts(rows: list[Row]) -> list[dict[str, Any]]:
    """Returns a row per class, the largest first: its pictures in the first and the last run."""
    counted = [row for row in rows if row.counts]
    names = dict.fromkeys(name for row in counted for name in row.counts)
    found = [
        {
            "name": name,
            "first": counted[0].counts.get(name, 0),
            "last": counted[-1].counts.get(name, 0),
            "line": trend.line([row.counts.get(name, 0) for row in counted], f"{name} over time"),
        }
        for name in names
    ]
    return sorted(found, key=lambda row: -row["last"])


def _steps(rows: list[Row]) -> list[dict[str, Any]]:
    """Returns a row per step that ever ran, the slowest first; seconds."""
    names = dict.fromkeys(name for row in rows for name in row.seconds)
    found = []
    for name in names:
        seconds = [row.seconds.get(name) for row in rows]
        ran = [each for each in seconds if each is not None]
        found.append(
            {
                "name": name,
                "median": statistics.median(ran),
                "last": seconds[-1],
                "line": trend.line(seconds, f"{name}, seconds over time"),
            }
        )
    return sorted(found, key=lambda row: -row["median"])


def _row(root: Path, run: Run, around: Path) -> Row:
    verdict = run.document(outputs.VERDICT, "verdict.json") or {}
    metrics = verdict.get("metrics", {}).get("candidate", {})
    intervals = metrics.get("intervals", {})
    of_classes = metrics.get("class_recall", {})
    recalls = {name: recall for name, recall in of_classes.items() if _is_measured(recall)}
    weakest = min(recalls, key=lambda name: recalls[name], default=None)
    ingest = run.document(outputs.INGEST_REPORT, "report.json") or {}
    return Row(
        run_id=run.run_id,
        pipeline=_pipeline(run),
        date=run.date or "",
        verdict=run.verdict,
        why=_why(run),
        version=run.pushed_version,
        state=_state(run),
        link=_link(root, run, around),
        pictures=ingest.get("accepted"),
        accuracy=metrics.get("accuracy"),
        accuracy_interval=_interval(intervals.get("accuracy")),
        weakest=weakest,
        recall=recalls.get(weakest) if weakest is not None else None,
        recall_interval=_interval(intervals.get("class_recall", {}).get(weakest)),
        counts=_counts(ingest.get("counts", {})),
        seconds={name: node.seconds for name, node in run.nodes.items() if node.state == "ran"},
    )


def _is_measured(value: float | None) -> bool:
    """Checks whether a metric is a number: a class without test pictures has no recall."""
    return value is not None and math.isfinite(value)


def _interval(bounds: Sequence[float | None] | None) -> Interval | None:
    low, high = bounds or (None, None)
    if low is None or high is None or not (_is_measured(low) and _is_measured(high)):
        return None
    return low, high


def _pipeline(run: Run) -> str | None:
    """Returns the pipeline's name; of a run without a report from where its outputs lie."""
    if settings := run.document(outputs.REPORT, CONFIGURATION):
        return settings.get("pipeline_name")
    made = run.outputs.get(outputs.INGEST_REPORT)
    parts = made.uri.rstrip("/").split("/") if made else []
    return parts[-4] if len(parts) > 3 else None  # ROOT/PIPELINE/NODE/OUTPUT/ID


def _why(run: Run) -> list[str]:
    """Returns a line per row that the candidate failed, or the steps that failed."""
    if run.running:
        return []
    if failed := [name for name, node in run.nodes.items() if node.state == "failed"]:
        return [f"{name} failed" for name in failed]
    if run.verdict != "refused":
        return []
    return [_missed(row) for row in run.gate if not row["passed"]]


def _missed(row: dict[str, Any]) -> str:
    of = "" if row["slice"] == "overall" else f" of {row['slice']}"
    found = row["found"]
    told = f"{found:.4f}" if isinstance(found, float) else shown(found)
    return f"{row['metric']}{of}: {told}, needed {row['needed']}"


def _state(run: Run) -> str | None:
    """Returns what became of the version that the run pushed, as the push directory has it."""
    if run.pushed_version is None:
        return None
    pushed = run.outputs[outputs.PUSHED_MODEL].custom_properties["pushed_destination"].string_value
    if not pushed:
        return None
    with contextlib.suppress(versions.VersionError, OSError):
        for version in versions.published(Path(pushed).parent):
            if version.number == run.pushed_version:
                return version.state
        return "removed"
    return None


def _link(root: Path, run: Run, around: Path) -> str | None:
    made = run.outputs.get(outputs.REPORT)
    if made and is_remote(made.uri):
        return None
    folder = Path(made.uri) if made else failed_folder(root, run.run_id)
    page = folder.absolute() / REPORT_PAGE
    if not page.is_file():
        return None
    return urllib.parse.quote(os.path.relpath(page, around.absolute()))


def _counts(by_split: dict[str, dict[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for counts in by_split.values():
        for name, pictures in counts.items():
            found[name] = found.get(name, 0) + pictures
    return found
