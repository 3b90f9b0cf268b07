"""The page of `evaluate`: one HTML file with all in it, for screens, phones, print and dark."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from serving.names import shown

_MOST = 100  # mistakes
STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:1rem auto;padding:0 1rem;
  background:Canvas;color:CanvasText}
div{overflow-x:auto}
table{border-collapse:collapse;margin:1rem 0}
td,th{border:1px solid #8886;padding:.3rem .6rem;text-align:left}
td.n{text-align:right;font-variant-numeric:tabular-nums}
td.miss{background:#e5484d33}
@media print{body{max-width:none;font-size:11px}}
"""


def page(found: dict[str, Any]) -> str:
    """Returns the page of what `evaluate.summary` and `evaluate.paired` returned."""
    low, high = found["accuracy_interval"]
    parts = [
        f"<h1>{_text(found['model'])}</h1>",
        f"<p>{found['pictures']} pictures. Accuracy "
        f"<b>{found['accuracy']:.4f}</b> (95 %: {low:.4f} to {high:.4f}, Wilson).</p>",
        *_against(found["against"]),
        "<h2>Recall by class</h2>",
        table(("class", "recall", "95 %", "pictures"), _recalls(found["class_recall"])),
        "<h2>Confusion</h2><p>Rows are the truth, columns the prediction.</p>",
        _confusion(found["confusion"]),
        f"<h2>Worst mistakes</h2><p>{len(found['mistakes'])}, the surest first.</p>",
        table(("file", "truth", "prediction", "score"), _mistakes(found["mistakes"][:_MOST])),
    ]
    return document("Evaluation", "\n".join(parts))


def document(title: str, body: str) -> str:
    """Returns a whole page around a body that is HTML already."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_text(title)}</title><style>{STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Returns a table whose cells are escaped; numbers stand at the right."""
    head = "".join(f"<th>{_text(cell)}</th>" for cell in header)
    lines = ("".join(_cell(cell) for cell in row) for row in rows)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<div><table><tr>{head}</tr>{body}</table></div>"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f'<td class="n">{value:.4f}</td>'
    return f'<td class="n">{value}</td>' if isinstance(value, int) else f"<td>{_text(value)}</td>"


def _text(value: object) -> str:
    return escape(shown(value))


def _against(against: dict[str, Any] | None) -> list[str]:
    if against is None:
        return []
    return [
        f"<p>Version {against['version']} on the same pictures: {against['accuracy']:.4f}. "
        f"This one gains {against['gained']} and loses {against['lost']}, "
        f"p = {against['p_value']:.3f} "
        "(exact McNemar test).</p>"
    ]


def _recalls(by_class: dict[str, Any]) -> Iterable[tuple[object, ...]]:
    for label, row in by_class.items():
        low, high = row["interval"]
        yield label, row["recall"], f"{low:.4f} to {high:.4f}", row["pictures"]


def _confusion(rows: dict[str, dict[str, int]]) -> str:
    names = sorted({*rows, *(name for row in rows.values() for name in row)})
    return table(
        ("", *names), ((name, *(rows[name].get(other, 0) for other in names)) for name in rows)
    )


def _mistakes(rows: list[dict[str, Any]]) -> Iterable[tuple[object, ...]]:
    for row in rows:
        yield row["file"], row["truth"], row["prediction"], row["score"]
