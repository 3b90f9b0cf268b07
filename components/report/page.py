"""Puts the page together: one self-contained HTML file, whose sections stand in `SECTIONS`."""

from __future__ import annotations

from markupsafe import Markup

from components.report.environment import environment
from components.report.page_data import Run
from components.report.sections import (
    calibration,
    certainty,
    changes,
    classes,
    configuration,
    confusion,
    data,
    devices,
    doubts,
    gate,
    headline,
    heat_maps,
    mistakes,
    precision_recall,
    provenance,
    quality,
    query,
    samples,
    served_form,
    slices,
    training,
    tuning,
)

SECTIONS = (
    headline.SECTION,
    gate.SECTION,
    changes.SECTION,
    training.SECTION,
    tuning.SECTION,
    confusion.SECTION,
    classes.SECTION,
    slices.SECTION,
    calibration.SECTION,
    certainty.SECTION,
    precision_recall.SECTION,
    mistakes.SECTION,
    doubts.SECTION,
    heat_maps.SECTION,
    data.SECTION,
    quality.SECTION,
    samples.SECTION,
    served_form.SECTION,
    query.SECTION,
    devices.SECTION,
    provenance.SECTION,
    configuration.SECTION,
)
"""In the page's order. A new one is a module and a template of its name, and a line here."""


def render(run: Run) -> str:
    """Returns the page as HTML. All names are escaped; nothing in it refers to another file."""
    templates = environment()
    bodies = {}
    for section in SECTIONS:
        if all(getattr(run, name) for name in section.needs):
            template = templates.get_template(f"sections/{section.name}.html.j2")
            bodies[section] = Markup(template.render(section.values(run)))
    page = templates.get_template("page.html.j2")
    return page.render(
        name=run.configuration["pipeline_name"],
        verdict="failed" if run.error else run.verdict["verdict"],
        bodies=bodies,
        made=run.made,
        fingerprint=run.ingest.get("fingerprint"),
    )
