"""The page in a real browser: Chromium, headless."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.report.page import render
from components.report.page_data import Run
from tests.components.report.made_run import run

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOSTILE = ["<script>alert(1)</script>", "باب مفتوح", "猫 & 狗", "🍎 apple", "'\"><img src=x>"]
VIEWS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1200, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}},
    "dark": {"viewport": {"width": 1200, "height": 900}, "color_scheme": "dark"},
}


def _launch(chromium: Any) -> Any:
    """Starts the machine's Chromium, else Playwright's own, which it fetches first."""
    arguments = ["--no-sandbox"]  # as root, in a container
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None and not Path(chromium.executable_path).is_file():
        install = [sys.executable, "-m", "playwright", "install", "chromium"]
        try:
            done = subprocess.run(install, capture_output=True, text=True, timeout=120)
        except subprocess.TimeoutExpired:
            pytest.skip("no Chromium here, and fetching one took over two minutes")
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason"])[-1]
            pytest.skip(f"no Chromium here, and none can be fetched: {reason}")
    try:
        return chromium.launch(executable_path=program, args=arguments)
    except sync_api.Error as error:
        pytest.skip(f"Chromium does not start here: {str(error).splitlines()[0]}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        started = _launch(playwright.chromium)
        yield started
        started.close()


def runs() -> dict[str, Run]:
    whole = run(baseline=True)
    failed = Run(configuration=whole.configuration, made=whole.made, error="Trainer: diverged")
    return {
        "usual": whole,
        "hostile names": run(HOSTILE, 100, 0.6),
        "200 classes": run([f"{HOSTILE[n % 5]} {n}" for n in range(200)], 1000, 0.6),
        "failed": failed,
        "failed late": dataclasses.replace(whole, error="Pusher: disk full"),
    }


@pytest.mark.parametrize("name", runs())
def test_the_page_renders_everywhere_without_a_fault(
    browser: Any, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "report.html"
    path.write_text(render(runs()[name]), "utf-8")
    for view in VIEWS.values():
        context = browser.new_context(**view)
        page = context.new_page()
        faults: list[str] = []
        requests: list[str] = []
        page.on("console", lambda message, kept=faults: kept.append(message.text))
        page.on("pageerror", lambda error, kept=faults: kept.append(str(error)))
        page.on("dialog", lambda dialog, kept=faults: kept.append(dialog.message))
        page.on("request", lambda request, kept=requests: kept.append(request.url))
        page.goto(path.as_uri())
        broken = "[...document.images].filter(i => !i.complete || !i.naturalWidth).length"
        assert page.evaluate(broken) == 0
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= view["viewport"]["width"]
        assert faults == []
        assert [url for url in requests if not url.startswith("data:")] == [path.as_uri()]
        context.close()


def test_dark_is_dark_and_print_is_light(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(render(run()), "utf-8")
    page = browser.new_context(color_scheme="dark").new_page()
    page.goto(path.as_uri())
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(20, 23, 26)"
    page.emulate_media(media="print")
    assert page.evaluate(background) == "rgb(255, 255, 255)"
    assert page.pdf().startswith(b"%PDF")


def test_a_page_of_1000_pictures_and_20_classes_is_small() -> None:
    made = run([f"class {number}" for number in range(20)], 1000, baseline=True)
    html = render(made)
    assert len(html.encode()) < 5_000_000
