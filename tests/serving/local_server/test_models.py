"""Reloading the list of models."""

from __future__ import annotations

import shutil
import time
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


def reload(
    server: ServerProcess, *models: tuple[str, Path | str, list[int]], **labels: int
) -> None:
    """Reloads (name, base path, versions); `labels` are the first model's."""
    request = ReloadConfigRequest()
    for name, path, versions in models:
        model = request.config.model_config_list.config.add(
            name=name, base_path=str(path), model_platform="tensorflow"
        )
        if versions:
            model.model_version_policy.specific.versions.extend(versions)
    request.config.model_config_list.config[0].version_labels.update(labels)
    server.models.HandleReloadConfigRequest(request, timeout=60)


def version_of(server: ServerProcess, name: str, label: str | None = None) -> int:
    request = predict_request([png()])
    request.model_spec.name = name
    if label is not None:
        request.model_spec.version_label = label
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


def refusal(server: ServerProcess, *models: tuple[str, Path, list[int]], **labels: int) -> str:
    """The words with which a reload with these labels is refused."""
    with pytest.raises(grpc.RpcError) as refused:
        reload(server, *models, **labels)
    assert refused.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    return str(refused.value.details())


def test_a_reload_that_is_refused_for_its_label_changes_nothing(
    follower: ServerProcess, models: Path
) -> None:
    def classifier(*versions: int) -> tuple[str, Path, list[int]]:
        return "classifier", models / "classifier", list(versions)

    reload(follower, classifier(1))
    follower.wait_for_states(_1="AVAILABLE", _2="END")
    reload(follower, classifier(1), stable=1, canary=1)
    before = follower.states()
    other = "other", models / "other", [5]
    words = refusal(follower, classifier(1, 2), other, stable=1, canary=2)
    assert words == (
        "Request to assign label to version 2 of model classifier,"
        " which is not currently available for inference"
    )
    time.sleep(2.5)  # two looks at the folder
    assert follower.states() == before
    with pytest.raises(grpc.RpcError, match=r"Latest\(other\)"):
        version_of(follower, "other")
    assert version_of(follower, "classifier", "canary") == 1
    refusal(follower, other, stable=5)  # nor has a new model a version yet
    assert version_of(follower, "classifier") == 1
    reload(follower, classifier(1, 2), stable=1, canary=1)
    follower.wait_for_states(_1="AVAILABLE", _2="AVAILABLE")
    reload(follower, classifier(1, 2), stable=1, canary=2)
    assert version_of(follower, "classifier", "canary") == 2
    reload(follower, classifier(2), stable=2, canary=2)
    assert version_of(follower, "classifier", "stable") == 2
    follower.wait_for_states(_1="END", _2="AVAILABLE")


def test_a_version_that_is_asked_for_no_more_leaves_before_another_is_loaded(
    follower: ServerProcess, models: Path, saved_model: Path, tmp_path: Path
) -> None:
    broken = models / "classifier" / "3"
    shutil.copytree(saved_model, tmp_path / "3")
    (tmp_path / "3" / "saved_model.pb").write_bytes(b"noise" * 100)
    (tmp_path / "3").rename(broken)
    reload(follower, ("classifier", models / "classifier", [1, 2]))
    follower.wait_for_states(_1="AVAILABLE", _2="AVAILABLE")
    reload(follower, ("classifier", models / "classifier", [1, 3]))
    follower.wait_for_states(_1="AVAILABLE", _2="END", _3="END")
    assert version_of(follower, "classifier") == 1


def test_a_new_model_that_does_not_load_is_told_and_listed(
    follower: ServerProcess, models: Path, saved_model: Path
) -> None:
    broken = models / "broken" / "7"
    shutil.copytree(saved_model, broken)
    (broken / "variables" / "variables.index").write_bytes(b"noise")
    with pytest.raises(grpc.RpcError) as refused:
        reload(
            follower,
            ("classifier", models / "classifier", [1]),
            ("broken", models / "broken", []),
        )
    assert refused.value.code() == grpc.StatusCode.UNKNOWN
    words = refused.value.details()
    assert words.startswith(
        "1 model(s) did not become available: {{{name: broken version: 7} due to error: DATA_LOSS:"
        " file is too short to be an sstable"
    )
    assert words.endswith("}, }")
    follower.wait_for_states(_1="AVAILABLE", _2="END")  # the rest of the list is served


def test_a_server_started_with_labels_takes_new_ones_ahead_of_their_version(
    models: Path, tmp_path: Path
) -> None:
    classifier = "classifier", models / "classifier", [1]
    file = tmp_path / "models.config"
    file.write_text(
        f"""model_config_list {{ config {{
            name: "classifier" base_path: "{models / "classifier"}" model_platform: "tensorflow"
            model_version_policy {{ specific {{ versions: 1 }} }}
            version_labels {{ key: "stable" value: 1 }}
        }} }}"""
    )
    server = ServerProcess(None, "--model-config-file", str(file))
    try:
        server.wait_until_listening()
        server.wait_for_line("AVAILABLE")
        reload(server, classifier, stable=1, canary=9)
        with pytest.raises(grpc.RpcError, match=r"Specific\(classifier, 9\)"):
            version_of(server, "classifier", "canary")
        assert "version 8" in refusal(server, classifier, stable=1, canary=8)
        reload(server, classifier, stable=1, canary=9)
    finally:
        server.kill()
