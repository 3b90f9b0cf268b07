"""Puts the page together: one self-contained HTML file, whose sections stand in `SECTIONS`."""

from __future__ import annotations

from pathlib import Path

import jinja2
from markupsafe import Markup

from components.report.run import Run
from components.report.sections import (
    classes,
    configuration,
    confusion,
    data,
    gate,
    headline,
    mistakes,
    query,
    training,
)

SECTIONS = (
    headline.SECTION,
    gate.SECTION,
    training.SECTION,
    confusion.SECTION,
    classes.SECTION,
    mistakes.SECTION,
    data.SECTION,
    query.SECTION,
    configuration.SECTION,
)
"""In the page's order. A new one is a module and a template of its name, and a line here."""

TEMPLATES = Path(__file__).parent


def render(run: Run) -> str:
    """Gives the page as HTML. All names are escaped; nothing in it refers to another file."""
    environment = _environment()
    bodies = {}
    for section in SECTIONS:
        template = environment.get_template(f"sections/{section.name}.html.j2")
        bodies[section] = Markup(template.render(section.values(run)))
    page = environment.get_template("page.html.j2")
    return page.render(
        name=run.configuration["pipeline_name"],
        verdict=run.verdict["verdict"],
        bodies=bodies,
        made=run.made,
        fingerprint=run.ingest["fingerprint"],
    )


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = lambda fraction: f"{100 * fraction:.1f} %"
    environment.filters["count"] = lambda number: f"{number:,}"
    return environment
