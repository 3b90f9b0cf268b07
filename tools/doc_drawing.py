"""Draws a terminal's text as SVG and photographs pages, for `doc_pictures.py`."""

import io
import re
import shutil
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS = 100
PASSING = re.compile(r"\[ ?\d+/\d+\] \S+ +(?! |done|cached|failed|skipped).*\n")
"""Lines of progress, which a terminal replaces by the last one of each node."""
STYLES = {
    r"(?m)^\$ .*$": "bold",
    r"done(?= +\d)|(?<=Gate {12})pass|(?m:^pushed)": "green",
    r"(?<=Gate {12})FAIL|(?m:^refused)": "red",
    r"(?m:cached$|^unchanged)": "cyan",
}
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Rich's own format loads a font from another host; the reader's own monospaced one will do.
FORMAT = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>
{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g></g></svg>
"""


def draw_terminal(text: str) -> str:
    """Returns an SVG of a terminal that shows the text."""
    shown = Text(PASSING.sub("", text).rstrip())
    for pattern, style in STYLES.items():
        shown.highlight_regex(pattern, style)
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), highlight=False)
    console.print(shown)
    return console.export_svg(title="", code_format=FORMAT, unique_id="terminal")


def photograph(page: Path, target: Path, height: int) -> None:
    """Writes a PNG of a page's first screen, 1,100 pixels wide, of 128 colours."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": 1100, "height": height})
        shown.goto(page.as_uri())
        shown.screenshot(path=str(target))
        browser.close()
    with Image.open(target) as picture:
        picture.convert("RGB").quantize(128).save(target, optimize=True)
