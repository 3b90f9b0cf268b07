"""TensorFlow Serving itself, played by programs that stand in its place on PATH."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving import real_server
from serving.client import Client
from serving.local_server.process import ServerFailed, serving
from serving.options import ServeOptions
from tests.serving import stand_in
from tests.serving.samples import png


@pytest.fixture
def binary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with the arguments of each start of a `tensorflow_model_server` on PATH."""
    return stand_in.put_on_path(tmp_path / "played", monkeypatch)


def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image: bool) -> None:
    found = "exit 0" if image else "exit 1"
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "docker"
    program.write_text(f"#!/bin/sh\n{found}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")


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


@pytest.fixture
def models(tmp_path: Path, saved_model: Path) -> Path:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "1").symlink_to(saved_model)
    return tmp_path / "models"


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    (tmp_path / "models" / "1").mkdir(parents=True)
    (tmp_path / "models" / "1" / "saved_model.pb").write_bytes(b"noise" * 100)
    return tmp_path / "models"


def test_the_binary_serves_while_it_is_needed_and_no_longer(
    binary: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAYED_DELAY", "4")  # nothing answers meanwhile
    with serving(models, prefer_real=True) as address, Client(address) as client:
        assert len(client.classify([png()])) == 1
    flags = binary.read_text().split()
    assert f"--model_base_path={models}" in flags
    assert "--max_num_load_retries=0" in flags  # else a broken model costs five minutes
    with Client(address, timeout=1.0) as client, pytest.raises(Exception, match=address):
        client.status()


@pytest.mark.parametrize("goes_on", [False, True])
def test_a_model_that_the_binary_cannot_load_ends_the_wait_with_its_words(
    goes_on: bool, binary: Path, broken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if goes_on:  # as one that knows no --max_num_load_retries
        monkeypatch.setenv("PLAYED_RETRIES", "1")
    with (
        pytest.raises(ServerFailed, match=r"no version to serve: Can't parse .*saved_model\.pb"),
        serving(broken, prefer_real=True),
    ):
        pass


def test_a_binary_that_never_opens_its_port_is_given_up_with_its_words(
    binary: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with (
        pytest.raises(ServerFailed, match="none within 8 s .*No versions of servable classifier"),
        serving(tmp_path / "empty", seconds=8.0, prefer_real=True),
    ):
        pass


def test_a_binary_that_ends_at_once_is_told_with_its_words(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in.put_on_path(tmp_path / "played", monkeypatch)
    monkeypatch.setenv("PLAYED_LOG", "/nowhere/flags")
    with pytest.raises(ServerFailed, match="/nowhere/flags"), serving(models, prefer_real=True):
        pass
