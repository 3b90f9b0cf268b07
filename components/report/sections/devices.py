"""The files for phones and small devices, and how close they come to the SavedModel."""

from __future__ import annotations

import shlex
from typing import Any

from components.report.page_data import Run, Section


def _values(run: Run) -> dict[str, Any]:
    _, height, width, _ = run.lite["input"]
    return {
        "files": run.lite["files"],
        "folder": shlex.quote(run.lite["folder"]),
        "size": f"{height} x {width}",
    }


SECTION = Section("devices", "Files for devices", _values, needs=("lite",))
