"""The origin of the model: data, seed, versions, and how long each node took."""

from __future__ import annotations

from typing import Any

from components.report.page_data import Run, Section


def _values(run: Run) -> dict[str, Any]:
    longest = max((row["seconds"] for row in run.nodes), default=0.0)
    return {
        "run_id": run.run_id,
        "fingerprint": run.ingest.get("fingerprint"),
        "seed": run.configuration["training"]["seed"],
        "versions": run.versions,
        "nodes": run.nodes,
        "longest": longest or 1.0,
        "total": sum(row["seconds"] for row in run.nodes),
    }


SECTION = Section("provenance", "What was run", _values)
