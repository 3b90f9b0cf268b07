"""The run's configuration."""

from __future__ import annotations

from typing import Any

import yaml

from components.report.page_data import Run, Section


def _values(run: Run) -> dict[str, Any]:
    return {"text": yaml.safe_dump(run.configuration, sort_keys=False, allow_unicode=True)}


SECTION = Section("configuration", "Configuration", _values)
