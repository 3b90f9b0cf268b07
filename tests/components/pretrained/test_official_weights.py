from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.files.cache_folder import cache_dir
from components.pretrained.official_weights import (
    imagenet_file,
    make_once,
)

ROOT = Path(__file__).resolve().parents[3]

# Stands in for Keras in another process: downloads like it, from an address of the test's.
KERAS = """
import os, urllib.request
WEIGHTS_PATH_NO_TOP = "{url}/weights_notop.h5"
class InceptionV3:
    def __init__(self, include_top, weights):
        assert (include_top, weights) == (False, "imagenet")
        self.content = urllib.request.urlopen(WEIGHTS_PATH_NO_TOP).read()
        os.makedirs(os.environ["KERAS_HOME"])
    def save_weights(self, file):
        open(file, "wb").write(self.content)
"""


@pytest.fixture
def weights_host() -> Iterator[http.server.ThreadingHTTPServer]:
    """A host that has one weights file and counts how often it is asked for it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_error(400)

        def do_GET(self) -> None:
            downloads.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"weights")

    downloads: list[str] = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.downloads = downloads
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def ask(folder: Path, url: str) -> subprocess.CompletedProcess[str]:
    """Asks for InceptionV3's ImageNet file in a process whose Keras names `url`."""
    package = folder / "fake" / "keras" / "applications"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text("from .inception_v3 import InceptionV3\n")
    (package.parent / "__init__.py").write_text("from . import applications\n")
    (package / "inception_v3.py").write_text(KERAS.format(url=url))
    code = (
        "from components.pretrained.official_weights import imagenet_file;"
        "print(imagenet_file('inception_v3'))"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": f"{folder / 'fake'}:{ROOT}",
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )


def test_the_file_is_downloaded_once_and_nothing_else_stays(tmp_path: Path, weights_host) -> None:
    url = f"http://127.0.0.1:{weights_host.server_port}"
    first = ask(tmp_path, url)
    assert first.returncode == 0, first.stderr
    file = tmp_path / "cache/transfer-pipeline/weights/inception_v3-imagenet.weights.h5"
    assert first.stdout.strip() == str(file)
    assert file.read_bytes() == b"weights"
    assert {path.name for path in file.parent.iterdir()} <= {file.name, f"{file.name}.lock"}
    assert ask(tmp_path, url).stdout == first.stdout
    assert weights_host.downloads == ["/weights_notop.h5"]


def test_a_host_that_can_not_be_reached_is_told_fast_with_the_ways_out(tmp_path: Path) -> None:
    answer = ask(tmp_path, "http://weights.invalid")
    assert answer.returncode != 0
    fault = answer.stderr.strip().splitlines()[-1]
    for part in (
        "weights.invalid",
        "--set model.weights=FILE",
        "weights_notop.h5",
        "--set model.weights=null",
        "python -m components.pretrained.substitute_weights",
    ):
        assert part in fault
    assert not list(tmp_path.rglob("*.weights.h5"))


def test_a_host_that_is_silent_is_given_up(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        answer = ask(tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert "127.0.0.1" in answer.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("backbone", ["vgg16", "resnet50", "mobilenet"])
def test_keras_own_constants_name_a_host_for_every_backbone(backbone: str) -> None:
    from components.pretrained.official_weights import _weights_url

    assert _weights_url(backbone).startswith("https://")


def test_a_file_in_the_cache_needs_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    file = cache_dir() / "weights" / "vgg16-imagenet.weights.h5"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"kept")
    assert imagenet_file("vgg16") == file


def test_of_many_at_once_one_writes_and_all_get_the_whole_file(tmp_path: Path) -> None:
    target, writes = tmp_path / "weights" / "a.weights.h5", []

    def write(file: Path) -> None:
        writes.append(file)
        with file.open("wb") as output:
            for _ in range(20):
                output.write(b"x" * 1000)
                output.flush()
                time.sleep(0.005)

    sizes: list[int] = []

    def read() -> None:
        sizes.append(make_once(target, write).stat().st_size)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sizes == [20_000] * 4
    assert len(writes) == 1


def test_a_write_that_fails_leaves_nothing_and_can_be_repeated(tmp_path: Path) -> None:
    target = tmp_path / "a.weights.h5"

    def fail(file: Path) -> None:
        file.write_bytes(b"half")
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        make_once(target, fail)
    assert not target.exists()
    assert make_once(target, lambda file: file.write_bytes(b"whole")).read_bytes() == b"whole"
