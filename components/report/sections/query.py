"""How the pushed model is asked."""

from __future__ import annotations

import shlex
from typing import Any

from components.report.page_data import Run, Section


def _values(run: Run) -> dict[str, Any]:
    directory = run.configuration["push"]["directory"]
    return {"model_dir": shlex.quote(directory), "version": run.pushed_version}


SECTION = Section("query", "Ask the model", _values, needs=("verdict",))
