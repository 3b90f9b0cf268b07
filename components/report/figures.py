"""Matplotlib figures as inline SVG that takes its colours and fonts from the page around it.

Text stays text, so the browser finds the letters of any script. Colours are drawn as placeholders
and become the page's CSS variables, so one figure is readable on dark and on light.
"""

from __future__ import annotations

import io
import re
import warnings

import matplotlib
from markupsafe import Markup, escape
from matplotlib.figure import Figure

INK, MUTED, LINE, BLUE, ORANGE = "#010101", "#010102", "#010103", "#010104", "#010105"
_VARIABLES = {INK: "ink", MUTED: "muted", LINE: "line", BLUE: "blue", ORANGE: "orange"}

PLAIN_TEXT = {"parse_math": False}
"""For names that come from outside: a `$` in them is a dollar sign."""

_LONGEST_NAME = 18  # characters


def short(name: str) -> str:
    """Gives a name that fits beside an axis, without what can't be printed."""
    printable = "".join(letter if letter.isprintable() else " " for letter in name)
    return printable if len(printable) <= _LONGEST_NAME else f"{printable[: _LONGEST_NAME - 1]}…"


def to_svg(figure: Figure, alt: str, *, stretch: float) -> Markup:
    """Gives the figure as an `<svg>` element, as wide as its place allows.

    Args:
      figure: drawn with the colours of this module.
      alt: what a reader who can't see it is told.
      stretch: how many CSS pixels a point of the figure may at most become; never less than 0.8,
        to stay readable on a phone (the place scrolls).
    """
    file = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": alt}):
        with warnings.catch_warnings():
            # Only the room that a name takes is measured with Matplotlib's own font.
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
            figure.savefig(file, format="svg", transparent=True, bbox_inches="tight")
    svg = file.getvalue()
    body = svg[svg.index(">", svg.index("<svg")) + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'<g id="\w+">', "<g>", body)  # the same in every figure of the page
    for placeholder, variable in _VARIABLES.items():
        body = body.replace(placeholder, f"var(--{variable})")
    view = re.findall(r'viewBox="0 0 ([\d.]+) [\d.]+"', svg)[0]
    box = re.findall(r'viewBox="[^"]+"', svg)[0]
    width = f"min-width:{0.8 * float(view):.0f}px;max-width:{float(view) * stretch:.0f}px"
    return Markup(f'<svg role="img" aria-label="{escape(alt)}" {box} style="{width}">{body}')
