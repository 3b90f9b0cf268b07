"""Reloading the list of models."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from tensorflow_serving.apis.model_management_pb2 import ReloadConfigRequest

from tests.serving.samples import png
from tests.serving.server_process import ServerProcess
from tests.serving.tiny_model import predict_request


@pytest.fixture(scope="module")
def models(saved_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of two models: `classifier` with versions 1 and 2, `other` with version 5."""
    folder = tmp_path_factory.mktemp("models")
    for version in ("classifier/1", "classifier/2", "other/5"):
        shutil.copytree(saved_model, folder / version)
    return folder


@pytest.fixture(scope="module")
def follower(models: Path) -> Iterator[ServerProcess]:
    process = ServerProcess(models / "classifier")
    process.wait_until_listening()
    process.wait_for_line("AVAILABLE")
    yield process
    process.kill()


def reload(server: ServerProcess, *models: tuple[str, Path | str, list[int]]) -> None:
    request = ReloadConfigRequest()
    for name, path, versions in models:
        model = request.config.model_config_list.config.add(
            name=name, base_path=str(path), model_platform="tensorflow"
        )
        if versions:
            model.model_version_policy.specific.versions.extend(versions)
    server.models.HandleReloadConfigRequest(request, timeout=60)


def version_of(server: ServerProcess, name: str) -> int:
    request = predict_request([png()])
    request.model_spec.name = name
    return server.predictions.Predict(request, timeout=30).model_spec.version.value


def test_a_reload_adds_changes_and_removes_models(follower: ServerProcess, models: Path) -> None:
    both = ("classifier", models / "classifier", []), ("other", models / "other", [])
    reload(follower, *both)
    assert (version_of(follower, "classifier"), version_of(follower, "other")) == (2, 5)
    reload(follower, ("classifier", models / "classifier", [1]), both[1])
    follower.wait_for_states(_1="AVAILABLE", _2="END")
    assert version_of(follower, "classifier") == 1
    reload(follower, both[0])
    with pytest.raises(grpc.RpcError) as gone:
        version_of(follower, "other")
    assert gone.value.details() == "Servable not found for request: Latest(other)"


def test_a_list_that_cannot_be_changes_nothing(follower: ServerProcess, models: Path) -> None:
    good = ("classifier", models / "classifier", [])
    for wrong, message in (
        ((good, good), "multiple times"),
        ((("classifier", "relative", []),), "absolute path"),
    ):
        with pytest.raises(grpc.RpcError, match=message) as refused:
            reload(follower, *wrong)
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert version_of(follower, "classifier") in (1, 2)
