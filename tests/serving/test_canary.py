from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving import canary
from serving.client import Client, ModelNotFound
from serving.config_files import read_models
from serving.publishing import prune, publish
from serving.reload import await_available
from serving.versions import VersionError, published, served
from tests.explains import refused
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
    assert (found.canary, found.beside, found.base_path) == (first, second, "/models/classifier")
    assert in_the_file(model_dir) == ([first, second], {"stable": first, "canary": first})
    found = canary.advance(model_dir, "classifier")
    assert (found.stable, found.canary, found.beside) == (first, second, None)
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
    with refused(
        VersionError,
        found="No version in .* is on trial",
        allowed="canary --model-dir .* puts the newest one there",
        next="rollback --model-dir .* --to N` makes any other one stable",
    ):
        canary.promote(model_dir)


def test_what_no_client_has_asked_for_is_not_promoted(model_dir: Path) -> None:
    push(model_dir)
    canary.advance(model_dir, "classifier")
    second = push(model_dir)
    canary.advance(model_dir, "classifier")
    with refused(
        VersionError,
        found=f"Version {second} is loaded beside",
        allowed="not on trial yet",
        next="`transfer-pipeline canary --model-dir .*` puts it there",
    ):
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
        waits, third = push(model_dir), push(model_dir)
        assert waits in prune(model_dir, keep=1)
        assert set(states(model_dir)) == {first, second, third}


def test_what_the_labels_left_is_withdrawn_by_the_next_push_once_they_are_gone(
    model_dir: Path,
) -> None:
    first, second = on_trial(model_dir)
    canary.rollback(model_dir, first)
    assert (model_dir / str(second)).is_dir()  # servers may not have read the labels yet
    (model_dir / "models.config").unlink()
    third = push(model_dir)
    prune(model_dir, keep=5)
    assert states(model_dir) == {first: "older", second: "withdrawn", third: "served"}
    assert (model_dir / f"{second}.withdrawn").is_dir()


def test_stable_goes_back_by_the_file_in_two_steps_and_forth_again(model_dir: Path) -> None:
    first, second = on_trial(model_dir)
    canary.promote(model_dir)
    canary.rollback(model_dir, first)
    assert in_the_file(model_dir) == ([first, second], {"stable": second, "canary": second})
    canary.rollback(model_dir, first)
    assert in_the_file(model_dir) == ([first], {"stable": first, "canary": first})
    # A server may not have read the file yet: the folder stays until the next call.
    assert (model_dir / str(second)).is_dir()
    assert states(model_dir) == {second: "withdrawn", first: "served"}
    canary.rollback(model_dir, first)
    assert not (model_dir / str(second)).exists()
    assert states(model_dir) == {second: "withdrawn", first: "served"}
    for _ in range(2):
        canary.rollback(model_dir, second)
    assert in_the_file(model_dir) == ([second], {"stable": second, "canary": second})
    assert states(model_dir) == {second: "served", first: "older"}


def test_a_rollback_to_a_version_with_a_label_is_one_step(model_dir: Path) -> None:
    first, second = on_trial(model_dir)
    canary.rollback(model_dir, first)
    assert in_the_file(model_dir) == ([first], {"stable": first, "canary": first})
    assert states(model_dir) == {second: "withdrawn", first: "served"}
    third = push(model_dir)
    assert canary.advance(model_dir).beside == third


def test_a_rollback_takes_the_place_of_a_trial_that_begins(model_dir: Path) -> None:
    first, second = on_trial(model_dir)
    canary.promote(model_dir)
    third = push(model_dir)
    canary.advance(model_dir)
    assert canary.rollback(model_dir, first) is not None
    assert in_the_file(model_dir)[0] == [first, second]
    canary.rollback(model_dir, first)
    assert states(model_dir) == {third: "withdrawn", second: "withdrawn", first: "served"}
    with refused(
        VersionError, found="has no version 5", allowed="it has .*served", next="Name one of these"
    ):
        canary.rollback(model_dir, 5)


def test_without_labels_a_rollback_is_by_the_folders(model_dir: Path) -> None:
    first, second = push(model_dir), push(model_dir)
    assert canary.rollback(model_dir, first) is None
    assert states(model_dir) == {second: "withdrawn", first: "served"}
    with refused(
        VersionError,
        found="has no models.config",
        allowed="its servers poll the directory, and see a rollback by themselves",
        next="Run the command again without --server",
    ):
        canary.rollback(model_dir, second, servers=["127.0.0.1:9"])


def test_what_the_labels_have_left_is_not_pruned_before_servers_have_read_it(
    model_dir: Path,
) -> None:
    first, second = on_trial(model_dir)
    canary.rollback(model_dir, first)
    assert prune(model_dir, keep=1) == []
    os.utime(model_dir / "models.config", (1e9, 1e9))
    assert prune(model_dir, keep=1) == [second]


def test_where_nothing_is_newer_nothing_is_written(model_dir: Path) -> None:
    push(model_dir)
    canary.advance(model_dir)
    os.utime(model_dir / "models.config", (1e9, 1e9))
    canary.advance(model_dir)
    canary.advance(model_dir, servers=["127.0.0.1:9"])
    assert (model_dir / "models.config").stat().st_mtime == 1e9


SHARED = """# Served by two teams.
# Ask before you change it.
model_config_list {
  config {
    name: "cars"
    base_path: "/models/cars"
    version_labels { key: "stable" value: 7 }
  }
  config {
    name: "pets"
    base_path: "/models/pushed"
    model_platform: "tensorflow"
    logging_config { sampling_config { sampling_rate: 0.5 } }
    model_version_policy { specific { versions: 1 versions: 2 } }
    version_labels { key: "stable" value: 1 }
    version_labels { key: "canary" value: 1 }
    version_labels { key: "auditors" value: 2 }
  }
}
"""


def shared(model_dir: Path, text: str = SHARED) -> Path:
    for number in (1, 2, 3):
        (model_dir / str(number)).mkdir(parents=True)
    (model_dir / "models.config").write_text(text)
    return model_dir / "models.config"


def test_what_a_person_added_to_the_file_is_kept(model_dir: Path) -> None:
    path = shared(model_dir)
    cars, pets = read_models(path).model_config_list.config
    for _ in range(2):
        canary.advance(model_dir)
    assert path.read_text().startswith("# Served by two teams.\n# Ask before you change it.\n")
    other, own = read_models(path).model_config_list.config
    assert other == cars
    assert (own.name, own.base_path) == ("pets", "/models/pushed")
    assert own.logging_config == pets.logging_config
    assert list(own.model_version_policy.specific.versions) == [1, 2, 3]
    assert dict(own.version_labels) == {"stable": 1, "canary": 3, "auditors": 2}


@pytest.mark.parametrize(
    ("text", "name", "found", "allowed", "next"),
    [
        (SHARED, "birds", "no model 'birds'", "its models: 'cars', 'pets'", "Name one of these"),
        (
            SHARED.replace("pushed", "pets"),
            None,
            "several models with the label 'stable'",
            r"\('cars', 'pets'\)",
            "have that one, and no other, end in 'pushed'",
        ),
        (
            SHARED.replace('"stable"', '"main"'),
            None,
            "not the one model with the label 'stable'",
            "its models: 'cars', 'pets'",
            "give the model of this directory that label",
        ),
        (
            SHARED + "# the end",
            None,
            "line 20 has a comment",
            "which a change of the file would lose",
            "move the comments to the top",
        ),
        (
            SHARED.replace("specific {", "latest {} #"),
            "pets",
            "models.config",
            "nothing was changed",
            "Mend the file",
        ),
        (
            SHARED.replace('name: "pets"', 'name: "pets"\n  colour: "red"'),
            None,
            "colour",
            "nothing was changed",
            "Mend the file",
        ),
    ],
)
def test_what_cannot_be_kept_is_refused_before_anything_changes(
    text: str, name: str | None, found: str, allowed: str, next: str, model_dir: Path
) -> None:
    path = shared(model_dir, text)
    for act in (
        lambda: canary.advance(model_dir, name),
        lambda: canary.rollback(model_dir, 3, name=name),
    ):
        with refused(VersionError, found=found, allowed=allowed, next=next):
            act()
    assert path.read_text() == text
    assert sorted(each.name for each in model_dir.iterdir() if each.is_dir()) == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("model_config_list {}", "the one model with the label 'stable'"),
        ("no protobuf", "nothing was changed"),
    ],
)
def test_a_file_changed_by_hand_is_told(text: str, allowed: str, model_dir: Path) -> None:
    push(model_dir)
    (model_dir / "models.config").write_text(text)
    with refused(
        VersionError, found="models.config", allowed=allowed, next="(Mend|move) the file|that label"
    ):
        published(model_dir)


def test_nothing_can_be_tried_before_the_first_push(model_dir: Path) -> None:
    model_dir.mkdir()
    with refused(
        VersionError, found="has no version", allowed="to serve", next="push a model first"
    ):
        canary.advance(model_dir, "classifier")


def test_a_server_that_is_not_there_changes_nothing(model_dir: Path) -> None:
    first = push(model_dir)
    canary.advance(model_dir, "classifier")
    push(model_dir)
    with refused(
        VersionError,
        found="Nothing was changed: No server answers",
        allowed="gRPC port",
        next="give the address",
    ):
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
    unknown = refused(
        ModelNotFound,
        found="version label: other",
        allowed="a name, version and label that it serves",
        next="`Client.status` lists",
    )
    with Client(server.address, label="other") as client, unknown:
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
    with refused(
        VersionError,
        found=f"does not load version {second}: ",
        allowed="Clients are answered as before",
        next="--withdraw` puts the version aside",
    ):
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
    again = "run the command again"
    with refused(
        VersionError,
        found="version 1 of 'pets' within 1 s",
        allowed="its versions: none",
        next=again,
    ):
        await_available(server.address, "pets", [1], seconds=1.0)
    with refused(
        VersionError,
        found="version 1 ",
        allowed=f"its versions: {first} AVAILABLE",
        next=again,
    ):
        await_available(server.address, "classifier", [first, 1], seconds=1.0)
