"""The page on the REST port, in headless Chromium."""

from __future__ import annotations

import base64
import itertools
import json
import os
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.serving.samples import exif, jpeg, png
from tests.serving.server_process import ServerProcess

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
DROP = """
(() => {
  const bytes = Uint8Array.from(atob(%r), (letter) => letter.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], %r));
  document.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true}));
})()
"""
SHOWN = """
JSON.stringify({
  status: document.getElementById("status").textContent,
  names: [...document.querySelectorAll("#classes b")].map((each) => each.textContent),
  bars: [...document.querySelectorAll("#classes meter")].map((each) => each.value),
  hidden: document.getElementById("answer").hidden,
})
"""


class Page:
    """A tab, driven by the DevTools protocol."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=60))
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]

    def run(self, script: str) -> Any:
        found = self.call("Runtime.evaluate", expression=script, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def open(self, address: str) -> None:
        self.call("Page.navigate", url=address)
        end = time.monotonic() + 60
        while self.run("document.readyState + !!document.getElementById('drop')") != "completetrue":
            assert time.monotonic() < end
            time.sleep(0.05)

    def drop(self, name: str, data: bytes) -> dict[str, Any]:
        """Drops a file on the page; gives what it shows in the end."""
        self.run(DROP % (base64.b64encode(data).decode(), name))
        end = time.monotonic() + 60
        while (shown := json.loads(self.run(SHOWN)))["status"] == "Asking ...":
            assert time.monotonic() < end
            time.sleep(0.05)
        return shown

    def screenshot(self) -> bytes:
        return base64.b64decode(self.call("Page.captureScreenshot")["data"])


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    client = pytest.importorskip("websockets.sync.client", reason="nothing to talk to a browser by")
    if BROWSER is None:
        pytest.skip("no Chromium on this machine")
    profile = tmp_path_factory.mktemp("profile")
    words = [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    words += ["--disable-dev-shm-usage", "--remote-debugging-port=0", f"--user-data-dir={profile}"]
    log = profile / "log"
    with log.open("wb") as file:
        process = subprocess.Popen([*words, "about:blank"], stdout=file, stderr=file)
    try:
        port = _debugging_port(process, log)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as response:
            tabs = [tab for tab in json.load(response) if tab["type"] == "page"]
        with client.connect(tabs[0]["webSocketDebuggerUrl"], max_size=None) as socket:
            yield Page(socket)
    finally:
        process.kill()
        process.wait()


def _debugging_port(process: subprocess.Popen[bytes], log: Path) -> str:
    end = time.monotonic() + 60
    while not (found := re.search(r"listening on ws://[^:]+:(\d+)", log.read_text())):
        if process.poll() is not None or time.monotonic() > end:
            pytest.skip(f"Chromium does not start here: {log.read_text()[-300:]}")
        time.sleep(0.1)
    return found[1]


def test_a_dropped_picture_is_answered_by_bars_best_first(
    page: Page, server: ServerProcess
) -> None:
    page.open(f"http://127.0.0.1:{server.rest_port}/")
    shown = page.drop("red.png", png(Image.new("RGB", (64, 64), "red")))
    assert shown["names"] == ["red", "blue", "green"]
    assert shown["bars"] == sorted(shown["bars"], reverse=True)
    assert sum(shown["bars"]) == pytest.approx(1.0, abs=1e-3)
    assert (shown["status"], shown["hidden"]) == ("red.png", False)
    picture = page.screenshot()
    assert picture.startswith(b"\x89PNG")
    if folder := os.environ.get("SCREENSHOTS"):  # for a look by eye
        Path(folder, "page.png").write_bytes(picture)


def test_what_the_graph_cannot_decode_the_browser_makes_canonical(
    page: Page, server: ServerProcess
) -> None:
    import io

    page.open(f"http://127.0.0.1:{server.rest_port}/")
    file = io.BytesIO()
    Image.new("RGB", (32, 32), "blue").save(file, "WEBP", exif=exif(6))
    assert page.drop("blue.webp", file.getvalue())["names"][0] == "blue"


def test_what_is_no_picture_is_told_and_the_next_is_answered(
    page: Page, server: ServerProcess
) -> None:
    page.open(f"http://127.0.0.1:{server.rest_port}/")
    shown = page.drop("<b>notes.txt", b"no picture")
    assert shown["status"] == "<b>notes.txt is no picture that this browser shows."
    assert shown["hidden"]
    assert page.drop("blue.jpg", jpeg(Image.new("RGB", (8, 8), "blue")))["names"][0] == "blue"


def test_an_error_of_the_server_is_shown(page: Page, server: ServerProcess) -> None:
    page.open(f"http://127.0.0.1:{server.rest_port}/?model=other")
    shown = page.drop("red.png", png())
    assert shown["status"] == "Servable not found for request: Latest(other)"


def test_the_page_needs_no_other_host(server: ServerProcess) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.rest_port}/") as response:
        page = response.read().decode()
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "://" not in page
    assert '"classifier"' in page
