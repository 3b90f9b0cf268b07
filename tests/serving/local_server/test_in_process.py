"""The local server's parts in this process, with versions that need no TensorFlow to load."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from google.protobuf import text_format
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from tensorflow_serving.config.model_server_config_pb2 import ModelConfig, ModelServerConfig

import serving
from serving import atomic_files, config_files, labels, version_facts
from serving.config_files import ConfigFileError
from serving.labels import Labels
from serving.local_server.follow import FollowingServer
from serving.local_server.manager import VersionManager
from serving.local_server.server import LocalServer
from serving.version_facts import Facts
from tests.explains import refused
from tests.serving.server_process import wait_until

PORTS = {"port": 0, "rest_port": 0}


def loaded(name: str, number: int, path: Path) -> Any:
    return SimpleNamespace(name=name, version=number)


def until(holds: Callable[[], bool]) -> None:
    wait_until(holds, lambda: "it did not come about")


def two_models(folder: Path, *names: str) -> ModelServerConfig:
    config = ModelServerConfig()
    for name in names:
        (folder / name / "1").mkdir(parents=True, exist_ok=True)
        config.model_config_list.config.add(
            name=name, base_path=str(folder / name), model_platform="tensorflow"
        )
    return config


def health(server: LocalServer) -> int:
    status: int = server._health.Check(HealthCheckRequest(), None).status
    return status


def is_available(server: LocalServer, name: str) -> bool:
    manager = server._models.get(name)
    return manager is not None and manager.is_available(1)


def test_a_version_that_labels_have_left_is_served_until_the_list_leaves_it(
    tmp_path: Path,
) -> None:
    for number in ("1", "2"):
        (tmp_path / number).mkdir()
    labels.write(tmp_path, Labels("pets", str(tmp_path), 1, 1))  # which the server has not read
    version_facts.write(tmp_path, Facts(2, {}, frozenset({2})))
    policy = "model_version_policy { specific { versions: 1 versions: 2 } }"
    config = text_format.Parse(policy, ModelConfig(name="pets", base_path=str(tmp_path)))
    manager = VersionManager(config, lambda state: None, loaded)
    manager.start()
    until(lambda: manager.is_available(1))
    manager.stop()  # after a look at the folder, which has found both
    assert manager.is_available(2)


@pytest.fixture
def unread() -> Iterator[Callable[[str], None]]:
    """Announces into a pipe that nobody reads after the first line."""

    def announce(line: str) -> None:
        if not line.startswith("Development server"):
            raise BrokenPipeError(line)

    yield announce


def test_lines_that_nobody_reads_change_nothing(
    tmp_path: Path, unread: Callable[[str], None]
) -> None:
    config = two_models(tmp_path, "cats")
    with LocalServer(config, **PORTS, load=loaded, announce=unread) as server:
        until(lambda: is_available(server, "cats"))
        until(lambda: health(server) == HealthCheckResponse.SERVING)
        manager = server._models.get("cats")
        assert manager is not None
        with manager.lease():
            (tmp_path / "cats" / "1").rmdir()
            until(lambda: not manager.is_available(1))
        assert health(server) == HealthCheckResponse.NOT_SERVING


def test_a_refused_list_that_nobody_is_told_of_is_read_again(
    tmp_path: Path, unread: Callable[[str], None]
) -> None:
    file = tmp_path / "models.config"
    file.write_text(text_format.MessageToString(two_models(tmp_path, "cats")))
    server = FollowingServer(file, 0.02, **PORTS, load=loaded, announce=unread)
    with server:
        atomic_files.write(file, "no protobuf")
        until(lambda: "is no such file" in server._said)
        both = two_models(tmp_path, "cats", "dogs")
        atomic_files.write(file, text_format.MessageToString(both))
        until(lambda: is_available(server, "dogs"))


def test_a_model_that_leaves_the_list_is_unloaded(tmp_path: Path) -> None:
    lines: list[str] = []
    config = two_models(tmp_path, "cats")
    with LocalServer(config, **PORTS, load=loaded, announce=lines.append) as server:
        until(lambda: health(server) == HealthCheckResponse.SERVING)
        (tmp_path / "empty").mkdir()
        config.model_config_list.config[0].name = "none yet"
        config.model_config_list.config[0].base_path = str(tmp_path / "empty")
        server._models.apply(config, wait=False)
        assert lines[-1] == "cats version 1 is unloaded"
        assert health(server) == HealthCheckResponse.NOT_SERVING


def test_keys_that_are_none_are_not_told_as_a_taken_port_alone(tmp_path: Path) -> None:
    ssl = config_files.read_ssl(Path(serving.__file__).parent / "config" / "ssl.config")
    with pytest.raises(OSError, match="key and certificate are no PEM"):
        LocalServer(two_models(tmp_path, "cats"), **PORTS, ssl=ssl)


def test_a_list_that_cannot_be_served_is_told_with_its_file(tmp_path: Path) -> None:
    file = tmp_path / "models.config"
    config = two_models(tmp_path, "cats")
    config.model_config_list.config[0].base_path = "cats"
    file.write_text(text_format.MessageToString(config))
    with refused(
        ConfigFileError,
        found="models.config can't be served: .*base_path..=cats",
        allowed="an absolute path",
        next="Correct it there",
    ):
        FollowingServer(file, 0, **PORTS)
