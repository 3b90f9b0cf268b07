"""The environment in which the templates are read."""

from __future__ import annotations

import re
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from serving.names import shown, shown_lines

TEMPLATES = Path(__file__).parent


def environment() -> jinja2.Environment:
    """Returns Jinja2's environment; `*.html.j2` escapes every value.

    Of a text what can't be seen is escaped, line breaks too, unless it comes through `lines`.
    """
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=jinja2.select_autoescape(["html.j2"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: shown(value) if type(value) is str else value,
    )
    made.filters["lines"] = lambda text: Markup(escape(shown_lines(text)))
    made.filters["code"] = _with_code
    made.filters["percent"] = lambda fraction: f"{100 * fraction:.1f} %"
    made.filters["figure"] = lambda found: "–" if found is None else f"{found:.4f}"
    made.filters["count"] = lambda number: f"{number:,}"
    return made


def _with_code(text: str) -> Markup:
    """Returns a text in which what stands between backticks is set as code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(shown(text)))))
