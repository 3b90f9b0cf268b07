from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from serving import canary, labels
from serving.client import Client, ModelNotFound
from serving.config_files import read_models
from serving.versions import VersionError, prune, publish, published, rollback, served
from tests.serving.samples import png
from tests.serving.server_process import ServerProcess


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    return tmp_path / "pushed"


def push(model_dir: Path, content: bytes = b"graph") -> int:
    model = model_dir.with_name("model")
    model.mkdir(parents=True, exist_ok=True)
    (model / "saved_model.pb").write_bytes(content)
    return publish(model, model_dir)


def states(model_dir: Path) -> dict[int, str]:
    return {version.number: version.state for version in published(model_dir)}


def test_a_trial_from_pin_to_promotion(model_dir: Path) -> None:
    first = push(model_dir)
    found = canary.advance(model_dir, "classifier", "/models/classifier")
    assert (found.stable, found.canary, found.base_path) == (first, first, "/models/classifier")
    second = push(model_dir)
    assert states(model_dir) == {second: "newer", first: "served"}
    found = canary.advance(model_dir, "classifier")
    assert (found.stable, found.canary, found.base_path) == (first, second, "/models/classifier")
    assert states(model_dir) == {second: "canary", first: "served"}
    assert served(model_dir) == model_dir / str(first)  # what the gate compares with
    canary.promote(model_dir)
    assert states(model_dir) == {second: "served", first: "older"}


def test_a_withdrawn_trial_leaves_the_stable_version(model_dir: Path) -> None:
    first = push(model_dir)
    canary.advance(model_dir, "classifier")
    second = push(model_dir)
    canary.advance(model_dir, "classifier")
    canary.withdraw(model_dir)
    assert states(model_dir) == {second: "withdrawn", first: "served"}
    assert labels.read(model_dir).canary == first
    with pytest.raises(VersionError, match="on trial"):
        canary.promote(model_dir)


def test_the_file_is_one_that_tensorflow_serving_reads(model_dir: Path) -> None:
    first = push(model_dir)
    canary.advance(model_dir, "classifier")
    second = push(model_dir)
    canary.advance(model_dir, "classifier")
    (model,) = read_models(model_dir / "models.config").model_config_list.config
    assert model.base_path == str(model_dir)
    assert list(model.model_version_policy.specific.versions) == [first, second]
    assert dict(model.version_labels) == {"stable": first, "canary": second}


def test_pruning_keeps_both(model_dir: Path) -> None:
    first = push(model_dir)
    canary.advance(model_dir, "classifier")
    second = push(model_dir)
    canary.advance(model_dir, "classifier")
    third = push(model_dir)
    assert prune(model_dir, keep=1) == [third]
    assert set(states(model_dir)) == {first, second}


def test_a_rollback_is_refused_with_what_to_do_instead(model_dir: Path) -> None:
    first = push(model_dir)
    push(model_dir)
    canary.advance(model_dir, "classifier")
    with pytest.raises(VersionError, match="--withdraw"):
        rollback(model_dir, first)


@pytest.mark.parametrize("text", ["model_config_list {}", "no protobuf"])
def test_a_file_changed_by_hand_is_told(text: str, model_dir: Path) -> None:
    push(model_dir)
    (model_dir / "models.config").write_text(text)
    with pytest.raises(VersionError, match="models.config"):
        published(model_dir)


def test_nothing_can_be_tried_before_the_first_push(model_dir: Path) -> None:
    model_dir.mkdir()
    with pytest.raises(VersionError, match="push a model first"):
        canary.advance(model_dir, "classifier")


@pytest.fixture
def labelled(model_dir: Path, saved_model: Path) -> Iterator[tuple[int, Path, ServerProcess]]:
    """A server that follows the labels of a push directory with one version."""
    first = publish(saved_model, model_dir)
    canary.advance(model_dir, "classifier")
    server = ServerProcess(None, "--model-config-file", str(model_dir / "models.config"))
    server.wait_until_listening()
    server.wait_for_line("AVAILABLE")
    yield first, model_dir, server
    server.kill()


def test_clients_ask_by_label_and_no_label_is_ever_unknown(
    labelled: tuple[int, Path, ServerProcess], saved_model: Path
) -> None:
    first, model_dir, server = labelled

    def answers() -> dict[str, int]:
        found = {}
        for label in ("stable", "canary"):
            request = _request(label)
            found[label] = server.predictions.Predict(request).model_spec.version.value
        return found

    assert answers() == {"stable": first, "canary": first}
    second = publish(saved_model, model_dir)
    canary.advance(model_dir, "classifier", servers=[server.address])
    assert answers() == {"stable": first, "canary": second}
    canary.withdraw(model_dir, servers=[server.address])
    assert answers() == {"stable": first, "canary": first}
    server.wait_for_states(**{f"_{second}": "END"})
    third = publish(saved_model, model_dir)
    canary.advance(model_dir, "classifier", servers=[server.address])
    canary.promote(model_dir, servers=[server.address])
    assert answers() == {"stable": third, "canary": third}
    with Client(server.address, label="other") as client, pytest.raises(ModelNotFound):
        client.classify([png()])


def _request(label: str) -> object:
    from tests.serving.tiny_model import predict_request

    request = predict_request([png()])
    request.model_spec.version_label = label
    return request
