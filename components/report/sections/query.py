"""How the pushed model is asked."""

from __future__ import annotations

import shlex
from typing import Any

from components.report.run import Run, Section


def _values(run: Run) -> dict[str, Any]:
    return {"model_dir": shlex.quote(run.configuration["push"]["directory"])}


SECTION = Section("query", "Ask the model", _values)
