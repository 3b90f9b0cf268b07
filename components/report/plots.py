"""Matplotlib figures as inline SVG that takes its colours and fonts from the page around it.

Text stays text, so the browser finds the letters of any script. Colours are drawn as placeholders
and become the page's CSS variables, so one figure is readable on dark and on light.
"""

from __future__ import annotations

import io
import re
import warnings
from typing import Any

import matplotlib
from markupsafe import Markup, escape
from matplotlib.figure import Figure

from serving.names import shown

INK, MUTED, LINE, BLUE, ORANGE = "#010101", "#010102", "#010103", "#010104", "#010105"
_VARIABLES = {INK: "ink", MUTED: "muted", LINE: "line", BLUE: "blue", ORANGE: "orange"}

_LONGEST_NAME = 18  # characters


def short(name: str) -> str:
    """Returns a name that fits beside an axis."""
    whole = shown(name)
    return whole if len(whole) <= _LONGEST_NAME else f"{whole[: _LONGEST_NAME - 1]}…"


def to_svg(figure: Figure, alt: str, *, stretch: float) -> Markup:
    """Returns the figure as an `<svg>` element, as wide as its place allows.

    Args:
      figure: drawn with the colours of this module.
      alt: the text for a reader who can't see it.
      stretch: how many CSS pixels a point of the figure may at most become; never less than 0.8,
        to stay readable on a phone (the place scrolls).
    """
    svg = _draw(figure, salt=alt)
    box = re.search(r'viewBox="0 0 (?P<width>[\d.]+) [\d.]+"', svg)
    assert box is not None, "Matplotlib gives every figure its size"
    body = svg[svg.index(">", box.end()) + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'<g id="\w+">', "<g>", body)  # the same in every figure of the page
    for placeholder, variable in _VARIABLES.items():
        body = body.replace(placeholder, f"var(--{variable})")
    width = float(box["width"])
    style = f"min-width:{0.8 * width:.0f}px;max-width:{stretch * width:.0f}px"
    return Markup(
        f'<svg role="img" aria-label="{escape(shown(alt))}" {box[0]} style="{style}">{body}'
    )


def _draw(figure: Figure, salt: str) -> str:
    """Returns Matplotlib's SVG; each salt makes ids of its own, as all figures share one page."""
    file = io.StringIO()
    settings = {"svg.fonttype": "none", "svg.hashsalt": salt}
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        # Only the room that a name takes is measured with Matplotlib's own font.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(file, format="svg", transparent=True, bbox_inches="tight")
    return file.getvalue()


def dress(axes: Any) -> None:
    """Styles axes like the page: a line below, light lines across, muted ticks."""
    axes.tick_params(labelcolor=INK, color=LINE, labelsize=10, length=0, pad=5)
    axes.grid(axis="y", color=LINE, lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.spines["bottom"].set_color(MUTED)
