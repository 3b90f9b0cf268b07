"""The contents of the report."""

from __future__ import annotations

from components.settings.base import Count, Section


class Report(Section):
    """The contents of the report."""

    doubts: Count = 24
    """Pictures that are shown because their label is in doubt; 0: none are looked for."""
    heat_maps: Count = 24
    """Pictures whose Grad-CAM heat map is shown, half of them mistakes; 0: none."""
