"""The verdict in a sentence, and the figures that matter most."""

from __future__ import annotations

from typing import Any

from components.report.run import Run, Section


def _values(run: Run) -> dict[str, Any]:
    tone, word, sentence = _verdict(run)
    metrics = run.verdict["metrics"]["candidate"]
    measured = [name for name in run.classes if metrics["class_recall"][name] is not None]
    weakest = min(measured, key=metrics["class_recall"].__getitem__)
    return {
        "name": run.configuration["pipeline_name"],
        "made": run.made,
        "tone": tone,
        "word": word,
        "sentence": sentence,
        "accuracy": metrics["accuracy"],
        "correct": int(run.confusion.trace()),
        "pictures": metrics["pictures"],
        "weakest": weakest,
        "weakest_recall": metrics["class_recall"][weakest],
        "baseline": run.verdict["metrics"].get("baseline"),
        "served_version": run.verdict["served_version"],
        "accepted": run.ingest["accepted"],
        "classes": len(run.classes),
    }


def _verdict(run: Run) -> tuple[str, str, str]:
    """Gives the tone (a CSS class), the word and the sentence."""
    verdict, served = run.verdict["verdict"], run.verdict["served_version"]
    total = len(run.verdict["gate"])
    if verdict == "unchanged":
        return "even", "Unchanged", f"This is the model served already, version {served}."
    if verdict == "refused":
        missed = sum(not row["passed"] for row in run.verdict["gate"])
        stays = f" Version {served} stays served." if served else ""
        return "bad", "Refused", f"It missed {missed:,} of {total:,} thresholds.{stays}"
    if run.pushed_version:
        reached = f"It reached all {total:,} thresholds"
        return "good", "Pushed", f"{reached} and was pushed as version {run.pushed_version}."
    if run.pushed_version is None:
        return "good", "Passed", f"It reached all {total:,} thresholds of the gate."
    return (
        "bad",
        "Not pushed",
        f"It reached all {total:,} thresholds, but another check refused it.",
    )


SECTION = Section("headline", "", _values)
