"""The Tuner's trials, and the values that the training used."""

from __future__ import annotations

from typing import Any

from components.report.page_data import Run, Section

_SHOWN = 20  # trials


def _values(run: Run) -> dict[str, Any]:
    done = [trial for trial in run.trials if trial["score"] is not None]
    return {
        "names": list(run.trials[0]["values"]),
        "trials": done[:_SHOWN],
        "more": len(done) - len(done[:_SHOWN]),
        "diverged": len(run.trials) - len(done),
        "tuned": run.history.get("tuned", {}),
    }


SECTION = Section("tuning", "Tuning", _values, needs=("trials",))
