"""The verdict in a sentence, and the metrics that matter most."""

from __future__ import annotations

from typing import Any

from components.report.page_data import Run, Section

_MOST_ALIKE = 0.05  # of the test pictures; from here on it stands beside the accuracy


def _values(run: Run) -> dict[str, Any]:
    tone, word, sentence = _verdict(run)
    return {
        "name": run.configuration["pipeline_name"],
        "made": run.made,
        "tone": tone,
        "word": word,
        "sentence": sentence,
        "figures": _figures(run) if run.verdict else None,
        "accepted": run.ingest.get("accepted"),
        "classes": len(run.classes),
    }


def _figures(run: Run) -> dict[str, Any]:
    metrics = run.verdict["metrics"]["candidate"]
    recall = {name: found for name, found in metrics["class_recall"].items() if found is not None}
    weakest = min(recall, key=recall.__getitem__)
    return {
        "accuracy": metrics["accuracy"],
        "interval": metrics["intervals"].get("accuracy"),
        "correct": int(run.confusion.trace()),
        "pictures": metrics["pictures"],
        "weakest": weakest,
        "weakest_recall": recall[weakest],
        "alike": _alike(run),
        "baseline": run.verdict["metrics"].get("baseline"),
        "served_version": run.verdict["served_version"],
    }


def _alike(run: Run) -> int:
    """Returns how many test pictures look like known ones, 0 where they are too few to matter."""
    found: int = run.ingest.get("near_duplicates", {}).get("in_test", 0)
    pictures = run.verdict["metrics"]["candidate"]["pictures"]
    return found if found > _MOST_ALIKE * pictures else 0


def _verdict(run: Run) -> tuple[str, str, str]:
    """Returns the tone (a CSS class), the word and the sentence."""
    if run.error:
        return "bad", "Failed", run.error
    verdict, served = run.verdict["verdict"], run.verdict["served_version"]
    total, missed = len(run.verdict["gate"]), _missed(run)
    if verdict == "unchanged":
        return "even", "Unchanged", f"This is the model served already, version {served}."
    if verdict == "refused":
        stays = f" Version {served} stays served." if served else ""
        return "bad", "Refused", f"It missed {missed:,} of {total:,} thresholds.{stays}"
    reached = f"It reached all {total:,} thresholds"
    if verdict == "blessed":
        reached = f"It missed {missed:,} of {total:,} thresholds, was blessed all the same"
    if run.pushed_version:
        return "good", "Pushed", f"{reached} and was pushed as version {run.pushed_version}."
    if run.pushed_version is None and (verdict == "blessed" or not missed):
        return "good", "Passed", f"{reached} of the gate." if not missed else f"{reached}."
    return "bad", "Not pushed", _why_not(run)


def _missed(run: Run) -> int:
    return sum(not row["passed"] for row in run.verdict["gate"])


def _why_not(run: Run) -> str:
    names = [row["metric"] for row in run.verdict["gate"] if not row["passed"]]
    if names:
        return f"The gate let it pass, but another check refused it: {', '.join(names)}."
    return "It reached all thresholds, but is the model served already."


SECTION = Section("headline", "", _values)
