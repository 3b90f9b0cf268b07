"""A server that reads its `models.config` again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving import durable, labels
from serving.labels import Labels
from tests.serving.samples import png
from tests.serving.server_process import ServerProcess
from tests.serving.tiny_model import predict_request


@pytest.fixture
def model_dir(saved_model: Path, tmp_path: Path) -> Path:
    """A folder with versions 1 and 2, and labels for version 1."""
    for version in ("1", "2"):
        shutil.copytree(saved_model, tmp_path / version)
    labels.write(tmp_path, Labels("classifier", str(tmp_path), 1, 1))
    return tmp_path


@pytest.fixture
def follower(model_dir: Path) -> Iterator[ServerProcess]:
    file = str(model_dir / labels.MODELS_CONFIG)
    seconds = "--model-config-file-poll-wait-seconds"
    process = ServerProcess(None, "--model-config-file", file, seconds, "1")
    process.wait_until_listening()
    process.wait_for_line("AVAILABLE")
    yield process
    process.kill()


def canary(server: ServerProcess) -> int:
    request = predict_request([png()])
    request.model_spec.version_label = "canary"
    return server.predictions.Predict(request, timeout=30).model_spec.version.value


def test_a_label_that_comes_too_early_is_refused_at_every_look(
    follower: ServerProcess, model_dir: Path
) -> None:
    labels.write(model_dir, Labels("classifier", str(model_dir), 1, 2))
    follower.wait_for_line("models.config is not taken: Request to assign label to version 2")
    durable.write(model_dir / labels.MODELS_CONFIG, "no protobuf")
    follower.wait_for_line("is no such file of TensorFlow Serving")
    assert follower.states() == {1: "AVAILABLE"}
    assert canary(follower) == 1
    assert follower.stop() == 0
