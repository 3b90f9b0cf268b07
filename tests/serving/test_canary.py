from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving import canary
from serving.client import Client, ModelNotFound
from serving.config_files import read_models
from serving.reload import await_available
from serving.versions import VersionError, prune, publish, published, rollback, served
from tests.serving.samples import png
from tests.serving.server_process import ServerProcess, wait_until
from tests.serving.tiny_model import predict_request


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


def in_the_file(model_dir: Path) -> tuple[list[int], dict[str, int]]:
    """The versions to load and the labels, as TensorFlow Serving reads them."""
    (model,) = read_models(model_dir / "models.config").model_config_list.config
    return list(model.model_version_policy.specific.versions), dict(model.version_labels)


def on_trial(model_dir: Path) -> tuple[int, int]:
    """Puts a second version on trial by the file; returns the stable one and that one."""
    first = push(model_dir)
    canary.advance(model_dir, "classifier")
    second = push(model_dir)
    for _ in range(2):
        canary.advance(model_dir, "classifier")
    return first, second


def test_a_version_is_in_the_file_before_the_label_is_its_own(model_dir: Path) -> None:
    first = push(model_dir)
    found = canary.advance(model_dir, "classifier", "/models/classifier")
    assert (found.stable, found.canary, found.base_path) == (first, first, "/models/classifier")
    assert in_the_file(model_dir) == ([first], {"stable": first, "canary": first})
    second = push(model_dir)
    assert states(model_dir) == {second: "newer", first: "served"}
    found = canary.advance(model_dir, "classifier")
    assert (found.canary, found.labelled, found.base_path) == (second, False, "/models/classifier")
    assert in_the_file(model_dir) == ([first, second], {"stable": first, "canary": first})
    found = canary.advance(model_dir, "classifier")
    assert (found.stable, found.canary, found.labelled) == (first, second, True)
    assert in_the_file(model_dir) == ([first, second], {"stable": first, "canary": second})
    assert states(model_dir) == {second: "canary", first: "served"}
    assert served(model_dir) == model_dir / str(first)  # what the gate compares with
    canary.advance(model_dir, "classifier")  # once more changes nothing
    assert in_the_file(model_dir) == ([first, second], {"stable": first, "canary": second})
    canary.promote(model_dir)
    assert in_the_file(model_dir) == ([second], {"stable": second, "canary": second})
    assert states(model_dir) == {second: "served", first: "older"}


def test_a_label_leaves_a_version_before_the_version_leaves(model_dir: Path) -> None:
    first, second = on_trial(model_dir)
    canary.withdraw(model_dir)
    assert in_the_file(model_dir) == ([first, second], {"stable": first, "canary": first})
    assert states(model_dir) == {second: "canary", first: "served"}
    canary.withdraw(model_dir)
    assert in_the_file(model_dir) == ([first], {"stable": first, "canary": first})
    assert states(model_dir) == {second: "withdrawn", first: "served"}
    with pytest.raises(VersionError, match="on trial"):
        canary.promote(model_dir)


def test_what_no_client_has_asked_for_is_not_promoted(model_dir: Path) -> None:
    push(model_dir)
    canary.advance(model_dir, "classifier")
    second = push(model_dir)
    canary.advance(model_dir, "classifier")
    with pytest.raises(VersionError, match=rf"{second} is loaded .* not on trial yet"):
        canary.promote(model_dir)


def test_what_is_being_loaded_goes_on_trial_before_a_newer_push(model_dir: Path) -> None:
    first = push(model_dir)
    canary.advance(model_dir, "classifier")
    second = push(model_dir)
    canary.advance(model_dir, "classifier")
    third = push(model_dir)
    assert canary.advance(model_dir, "classifier").canary == second
    # A newer one ends the trial of the older first: the label must not be of what leaves.
    canary.advance(model_dir, "classifier")
    assert in_the_file(model_dir) == ([first, third], {"stable": first, "canary": first})
    canary.advance(model_dir, "classifier")
    assert in_the_file(model_dir) == ([first, third], {"stable": first, "canary": third})


def test_pruning_keeps_both(model_dir: Path) -> None:
    first = push(model_dir)
    canary.advance(model_dir, "classifier")
    second = push(model_dir)
    for _ in range(2):  # the version is loaded, then on trial
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


def test_a_server_that_is_not_there_changes_nothing(model_dir: Path) -> None:
    first = push(model_dir)
    canary.advance(model_dir, "classifier")
    push(model_dir)
    with pytest.raises(VersionError, match="Nothing was changed: No server answers"):
        canary.advance(model_dir, "classifier", servers=["127.0.0.1:9"])
    assert in_the_file(model_dir) == ([first], {"stable": first, "canary": first})


@pytest.fixture
def labelled(model_dir: Path, saved_model: Path) -> Iterator[tuple[int, Path, ServerProcess]]:
    """A server that follows the labels of a push directory with one version."""
    first = publish(saved_model, model_dir)
    canary.advance(model_dir, "classifier")
    file = str(model_dir / "models.config")
    seconds = "--model-config-file-poll-wait-seconds"
    server = ServerProcess(None, "--model-config-file", file, seconds, "1")
    server.wait_until_listening()
    server.wait_for_line("AVAILABLE")
    yield first, model_dir, server
    server.kill()


def answers(server: ServerProcess) -> dict[str, int]:
    """The version that answers for each label."""
    found = {}
    for label in ("stable", "canary"):
        request = predict_request([png()])
        request.model_spec.version_label = label
        found[label] = server.predictions.Predict(request).model_spec.version.value
    return found


def test_a_named_server_is_taken_through_both_steps_at_once(
    labelled: tuple[int, Path, ServerProcess], saved_model: Path
) -> None:
    first, model_dir, server = labelled
    assert answers(server) == {"stable": first, "canary": first}
    second = publish(saved_model, model_dir)
    canary.advance(model_dir, "classifier", servers=[server.address])
    assert answers(server) == {"stable": first, "canary": second}
    canary.withdraw(model_dir, servers=[server.address])
    assert answers(server) == {"stable": first, "canary": first}
    assert states(model_dir)[second] == "withdrawn"
    server.wait_for_states(**{f"_{second}": "END"})
    third = publish(saved_model, model_dir)
    canary.advance(model_dir, "classifier", servers=[server.address])
    canary.promote(model_dir, servers=[server.address])
    assert answers(server) == {"stable": third, "canary": third}
    assert "not taken" not in server.log()
    with Client(server.address, label="other") as client, pytest.raises(ModelNotFound):
        client.classify([png()])


def test_a_server_that_reads_the_file_follows_step_by_step(
    labelled: tuple[int, Path, ServerProcess], saved_model: Path
) -> None:
    first, model_dir, server = labelled
    second = publish(saved_model, model_dir)
    canary.advance(model_dir, "classifier")
    server.wait_for_states(**{f"_{second}": "AVAILABLE"})
    assert answers(server) == {"stable": first, "canary": first}
    canary.advance(model_dir, "classifier")
    wait_until(lambda: answers(server) == {"stable": first, "canary": second}, server.log)
    canary.promote(model_dir)
    wait_until(lambda: answers(server) == {"stable": second, "canary": second}, server.log)
    server.wait_for_states(**{f"_{first}": "END"})
    assert "not taken" not in server.log()


def test_a_version_that_does_not_load_is_told_and_can_be_withdrawn(
    labelled: tuple[int, Path, ServerProcess], saved_model: Path, tmp_path: Path
) -> None:
    first, model_dir, server = labelled
    broken = Path(shutil.copytree(saved_model, tmp_path / "broken"))
    (broken / "saved_model.pb").write_bytes(b"noise" * 100)
    second = publish(broken, model_dir)
    with pytest.raises(VersionError, match=rf"does not load version {second}: .*--withdraw"):
        canary.advance(model_dir, "classifier", servers=[server.address])
    assert in_the_file(model_dir) == ([first, second], {"stable": first, "canary": first})
    assert answers(server) == {"stable": first, "canary": first}
    canary.withdraw(model_dir, servers=[server.address])
    assert states(model_dir) == {second: "withdrawn", first: "served"}
    third = publish(saved_model, model_dir)
    canary.advance(model_dir, "classifier", servers=[server.address])
    assert answers(server) == {"stable": first, "canary": third}


def test_a_server_that_knows_no_such_model_is_told_with_what_it_has(
    labelled: tuple[int, Path, ServerProcess],
) -> None:
    first, _, server = labelled
    with pytest.raises(VersionError, match=r"version 1 of 'pets' within 1 s; its versions: none"):
        await_available(server.address, "pets", [1], seconds=1.0)
    with pytest.raises(VersionError, match=f"version 1 .*its versions: {first} AVAILABLE"):
        await_available(server.address, "classifier", [first, 1], seconds=1.0)
