"""How the templates are read."""

from __future__ import annotations

from pathlib import Path

import jinja2

TEMPLATES = Path(__file__).parent


def environment() -> jinja2.Environment:
    """Returns Jinja2's environment; `*.html.j2` escapes every value."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=jinja2.select_autoescape(["html.j2"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["percent"] = lambda fraction: f"{100 * fraction:.1f} %"
    made.filters["figure"] = lambda found: "–" if found is None else f"{found:.4f}"
    made.filters["count"] = lambda number: f"{number:,}"
    return made
