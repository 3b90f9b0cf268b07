"""TensorFlow Serving itself, played by programs that stand in its place on PATH."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from serving import real_server
from serving.client import Client
from serving.local_server import ServeOptions
from serving.local_server.process import ServerFailed, serving
from tests.serving.samples import png

ROOT = Path(__file__).parents[2]
# Takes the binary's flags and hands them to the local server.
PLAYED = """\
import os, sys
flags = dict(word[2:].split("=", 1) for word in sys.argv[1:])
words = {"model_base_path": "--model-dir", "model_name": "--name", "port": "--port",
         "rest_api_port": "--rest-port", "batching_parameters_file": "--batching-parameters-file"}
passed = [part for flag, word in words.items() if flag in flags for part in (word, flags[flag])]
open(os.environ["PLAYED_LOG"], "a").write(" ".join(sys.argv[1:]) + "\\n")
os.execv(sys.executable, [sys.executable, "-m", "serving.local_server", *passed])
"""


def put_on_path(folder: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(script)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.fixture
def binary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The log of a `tensorflow_model_server` on PATH."""
    (tmp_path / "played.py").write_text(PLAYED)
    run = shlex.join([sys.executable, str(tmp_path / "played.py")])
    put_on_path(
        tmp_path / "bin", "tensorflow_model_server", f'#!/bin/sh\nexec {run} "$@"\n', monkeypatch
    )
    monkeypatch.setenv("PLAYED_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path / "log"


def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image: bool) -> None:
    found = "exit 0" if image else "exit 1"
    put_on_path(tmp_path / "bin", "docker", f"#!/bin/sh\n{found}\n", monkeypatch)


def test_the_binary_is_preferred_and_gets_every_option(binary: Path, tmp_path: Path) -> None:
    options = ServeOptions(
        tmp_path / "models",
        "pets",
        8600,
        8601,
        batching_parameters_file=tmp_path / "batching.txt",
        ssl_config_file=tmp_path / "ssl.config",
    )
    assert real_server.command(options) == [
        "tensorflow_model_server",
        "--port=8600",
        "--rest_api_port=8601",
        "--grpc_max_threads=64",
        "--model_name=pets",
        f"--model_base_path={tmp_path / 'models'}",
        "--enable_batching=true",
        f"--batching_parameters_file={tmp_path / 'batching.txt'}",
        f"--ssl_config_file={tmp_path / 'ssl.config'}",
    ]
    labelled = real_server.command(ServeOptions(model_config_file=tmp_path / "models.config"))
    assert labelled is not None
    assert f"--model_config_file={tmp_path / 'models.config'}" in labelled
    assert "--model_config_file_poll_wait_seconds=10" in labelled


def test_an_image_that_is_there_is_run_with_the_folder_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker(tmp_path, monkeypatch, image=True)
    command = real_server.command(ServeOptions(tmp_path / "models", "pets"), "mine")
    assert command is not None
    words = " ".join(command)
    assert words.startswith("docker run --rm --init --name mine")
    assert "--publish 127.0.0.1:8500:8500" in words
    assert f"--volume {tmp_path / 'models'}:/models/pets:ro" in words
    assert "--model_base_path=/models/pets" in words


def test_nothing_is_pulled_and_nothing_is_found_where_nothing_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker(tmp_path, monkeypatch, image=False)
    assert real_server.command(ServeOptions(tmp_path)) is None


def test_the_binary_serves_while_it_is_needed_and_no_longer(
    binary: Path, tmp_path: Path, saved_model: Path
) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "1").symlink_to(saved_model)
    with (
        serving(tmp_path / "models", prefer_real=True) as address,
        Client(address) as client,
    ):
        assert len(client.classify([png()])) == 1
    assert "--model_base_path" in binary.read_text()
    with Client(address, timeout=1.0) as client, pytest.raises(Exception, match=address):
        client.status()


def test_a_model_that_the_binary_cannot_load_is_told(binary: Path, tmp_path: Path) -> None:
    (tmp_path / "models" / "1").mkdir(parents=True)
    with (
        pytest.raises(ServerFailed, match="no version to serve"),
        serving(tmp_path / "models", prefer_real=True),
    ):
        pass
