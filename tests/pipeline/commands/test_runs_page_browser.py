"""The page of a root in a real browser: Chromium, headless."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

from pipeline.commands import runs_page
from tests.components.report.test_browser import VIEWS, browser
from tests.pipeline.commands.test_runs_page import made

__all__ = ["browser"]


@pytest.mark.parametrize("view", VIEWS)
def test_the_page_fits_and_nothing_is_hidden_beside_it(
    browser: Any,  # noqa: F811
    tmp_path: Path,
    view: str,
) -> None:
    file = tmp_path / "runs.html"
    file.write_text(runs_page.render("runs", made()), "utf-8")
    context = browser.new_context(**VIEWS[view])
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(file.as_uri())
    wide = (
        "[...document.querySelectorAll('html, .scroll')].filter(e => e.scrollWidth > e.clientWidth)"
    )
    assert page.evaluate(f"{wide}.length") == 0
    assert page.locator("svg").first.bounding_box()["height"] > 100
    assert faults == []
    context.close()
