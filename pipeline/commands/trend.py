"""Curves over runs as inline SVG, in the colours of the page around them. Imports no plotter."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from markupsafe import Markup, escape

from serving.names import shown

_WIDTH, _HEIGHT = 440, 220  # of a chart, in its own units
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 12, 32
_LINE_WIDTH, _LINE_HEIGHT = 110, 24  # of a line without axes
_STEPS = 4  # between the lines across


@dataclasses.dataclass(frozen=True)
class Point:
    """A metric of one run."""

    at: int
    """The run's place on the axis, from 0."""
    value: float
    interval: tuple[float, float] | None
    good: bool
    """Whether it was pushed: the point is filled."""
    label: str
    """The text for a reader who points at it."""


def chart(points: Sequence[Point], dates: Sequence[str], alt: str) -> Markup:
    """Returns a chart of a fraction, run after run, with its intervals.

    Args:
      points: in the order of the runs.
      dates: of all runs; the axis shows the first and the last one.
      alt: the text for a reader who can't see it.
    """
    lowest = min(min([point.value, *(point.interval or ())]) for point in points)
    floor = min(0.8, int(lowest * 5) / 5)  # lines across at 5, 10, 15, 20 or 25 %

    def x(at: int) -> float:
        room = _WIDTH - _LEFT - _RIGHT - 16
        return _LEFT + 8 + (room / 2 if len(dates) == 1 else room * at / (len(dates) - 1))

    def y(value: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - value) / (1 - floor)

    parts = [_across(floor + (1 - floor) * step / _STEPS, y) for step in range(_STEPS + 1)]
    parts += [_text(_LEFT, _HEIGHT - 8, dates[0], "start")] if len(dates) > 1 else []
    parts.append(_text(_WIDTH - _RIGHT, _HEIGHT - 8, dates[-1], "end"))
    line = " ".join(f"{x(point.at):.1f},{y(point.value):.1f}" for point in points)
    parts.append(f'<polyline points="{line}" fill="none" stroke="var(--blue)" stroke-width="2"/>')
    for point in points:
        here = x(point.at)
        if point.interval:
            low, high = map(y, point.interval)
            parts.append(
                f'<path d="M{here:.1f} {low:.1f}V{high:.1f}" stroke="var(--blue)" opacity="0.45"'
                ' stroke-width="3"/>'
            )
        fill = "var(--blue)" if point.good else "var(--card)"
        parts.append(
            f'<circle cx="{here:.1f}" cy="{y(point.value):.1f}" r="4.5" fill="{fill}"'
            f' stroke="var(--blue)" stroke-width="2"><title>{escape(shown(point.label))}</title>'
            "</circle>"
        )
    return _svg(_WIDTH, _HEIGHT, alt, parts)


def line(values: Sequence[float | None], alt: str) -> Markup:
    """Returns a small line from 0 to the greatest value; runs without a value are gaps.

    Args:
      values: one per run.
      alt: the text for a reader who can't see it.
    """
    top = max((value for value in values if value is not None), default=0) or 1
    step = (_LINE_WIDTH - 8) / max(len(values) - 1, 1)
    dots = [
        (4 + step * at, 4 + (_LINE_HEIGHT - 8) * (1 - value / top))
        for at, value in enumerate(values)
        if value is not None
    ]
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
    parts = [f'<polyline points="{joined}" fill="none" stroke="var(--blue)" stroke-width="2"/>']
    if dots:
        parts.append(
            f'<circle cx="{dots[-1][0]:.1f}" cy="{dots[-1][1]:.1f}" r="3" fill="var(--blue)"/>'
        )
    return _svg(_LINE_WIDTH, _LINE_HEIGHT, alt, parts)


def _across(value: float, y: Callable[[float], float]) -> str:
    height = y(value)
    return f'<path d="M{_LEFT} {height:.1f}H{_WIDTH - _RIGHT}" stroke="var(--line)"/>' + _text(
        _LEFT - 8, height + 4, f"{100 * value:.0f} %", "end"
    )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="13"'
        f' fill="var(--muted)">{escape(shown(text))}</text>'
    )


def _svg(width: int, height: int, alt: str, parts: Sequence[str]) -> Markup:
    return Markup(
        f'<svg role="img" aria-label="{escape(shown(alt))}" viewBox="0 0 {width} {height}">'
        f"{''.join(parts)}</svg>"
    )
