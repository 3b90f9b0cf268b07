from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # TensorFlow is for the tests that need it
    from tests.serving.server_process import ServerProcess

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

VERSION = 3


@pytest.fixture(scope="session")
def saved_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model of tests/serving/tiny_model.py."""
    from tests.serving.tiny_model import export

    return export(tmp_path_factory.mktemp("tiny") / "saved_model")


@pytest.fixture(scope="session")
def processes(
    saved_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Path, ServerProcess]]:
    """Two servers started at once, since TensorFlow takes its time: by model directory."""
    from tests.serving.server_process import ServerProcess

    settled = tmp_path_factory.mktemp("settled")
    shutil.copytree(saved_model, settled / str(VERSION))
    changing = tmp_path_factory.mktemp("changing")
    servers = {folder: ServerProcess(folder) for folder in (settled, changing)}
    yield servers
    for process in servers.values():
        process.kill()


@pytest.fixture(scope="session")
def settled(processes: dict[Path, ServerProcess]) -> ServerProcess:
    """A server of the tiny model as version 3 of `classifier`, which nobody changes."""
    process = list(processes.values())[0]
    process.wait_until_listening()
    process.wait_for_line("AVAILABLE")
    return process


@pytest.fixture(scope="session")
def server(settled: ServerProcess) -> ServerProcess:
    """The same by the name under which tests/serving/contract may put another one."""
    return settled


@pytest.fixture(scope="session")
def changing(processes: dict[Path, ServerProcess]) -> tuple[Path, ServerProcess]:
    """A model directory without versions yet, and a server that follows it."""
    folder, process = list(processes.items())[1]
    process.wait_until_listening()
    return folder, process
