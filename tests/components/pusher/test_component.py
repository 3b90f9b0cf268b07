from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from ml_metadata.proto import metadata_store_pb2
from tfx.proto import pusher_pb2
from tfx.types import Artifact, standard_artifacts

from components.artifacts.gate_rows import WITHDRAWN_VERSION
from components.artifacts.types import COMPARED_WITH, NO_VERSION
from components.pusher import upload
from components.pusher.component import Driver, Executor, Pusher, ServedMeanwhile
from serving import canary, push_lock, versions, withdrawal
from tests.components.made_step import about_to_run
from tests.explains import refused


def properties(
    directory: Path, keep: int = 5, pinned: int | None = None, store: str | None = None
) -> dict[str, Any]:
    destination = pusher_pb2.PushDestination(
        filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=str(directory))
    )
    return {
        "push_destination": json_format.MessageToJson(destination),
        "custom_config": json.dumps({"keep_versions": keep, "pinned": pinned, "upload_to": store}),
    }


class Place:
    """A candidate, and the directory that it is pushed to."""

    def __init__(self, folder: Path):
        self.directory = folder / "served"
        self._folder = folder
        self._pushes = 0

    def push(
        self,
        content: bytes,
        blessed: bool = True,
        servable: bool = True,
        keep: int = 5,
        pinned: int | None = None,
        run_id: str | None = None,
        handle: Any = None,
        compared: str = "",
        store: str | None = None,
    ) -> standard_artifacts.PushedModel:
        """Runs the executor on a model with this content; gives the PushedModel."""
        model = self.model(content)
        blessing = standard_artifacts.ModelBlessing()
        blessing.set_int_custom_property("blessed", int(blessed))
        blessing.set_string_custom_property(COMPARED_WITH, compared)
        infra = standard_artifacts.InfraBlessing()
        infra.set_int_custom_property("blessed", int(servable))
        pushed = standard_artifacts.PushedModel()
        pushed.uri = str(self._folder / f"pushed{self._pushes}")
        inputs = {"model": [model], "model_blessing": [blessing], "infra_blessing": [infra]}
        executor = Executor(Executor.Context(pipeline_run_id=run_id))
        facts = self.facts(model, handle)
        settings = properties(self.directory, keep, pinned, store)
        executor.Do(inputs, {"pushed_model": [pushed]}, settings | facts)
        return pushed

    def model(self, content: bytes) -> standard_artifacts.Model:
        """Returns a candidate with this content."""
        self._pushes += 1
        model = standard_artifacts.Model()
        model.uri = str(self._folder / f"model{self._pushes}")
        serving = Path(model.uri, "Format-Serving")
        serving.mkdir(parents=True)
        (serving / "saved_model.pb").write_bytes(content)
        return model

    def facts(self, model: standard_artifacts.Model, handle: Any = None) -> dict[str, str]:
        """Returns what the driver adds to the cache key of the candidate's push."""
        settings = properties(self.directory)
        info = about_to_run(Pusher, input_dict={"model": [model]}, exec_properties=settings)
        return Driver(handle).facts_of(info)

    def served(self) -> bytes | None:
        version = versions.served(self.directory)
        return None if version is None else (version / "saved_model.pb").read_bytes()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def was_pushed(pushed: standard_artifacts.PushedModel) -> bool:
    return pushed.get_int_custom_property("pushed") == 1


def test_a_blessed_model_is_served_under_the_version_told(place: Place) -> None:
    pushed = place.push(b"graph")
    version = versions.served(place.directory)
    assert version is not None
    assert was_pushed(pushed)
    assert pushed.get_string_custom_property("pushed_version") == version.name
    assert pushed.get_string_custom_property("pushed_destination") == str(version)
    assert place.served() == b"graph"


@pytest.mark.parametrize(("blessed", "servable"), [(False, True), (True, False), (False, False)])
def test_a_model_that_one_blessing_is_missing_for_is_not_pushed(
    place: Place, blessed: bool, servable: bool
) -> None:
    place.push(b"old")
    assert not was_pushed(place.push(b"new", blessed, servable))
    assert place.served() == b"old"
    assert len(versions.published(place.directory)) == 1


def test_the_pinned_version_stays_however_few_are_kept(place: Place) -> None:
    first = place.push(b"first").get_string_custom_property("pushed_version")
    for content in (b"second", b"third"):
        place.push(content, keep=1, pinned=int(first))
    assert [str(each.number) for each in versions.published(place.directory)][1:] == [first]
    assert place.served() == b"third"


def test_the_model_served_already_is_not_pushed_again(place: Place) -> None:
    place.push(b"graph")
    assert not was_pushed(place.push(b"graph"))
    assert len(versions.published(place.directory)) == 1


def test_a_withdrawn_model_does_not_come_back_by_another_run(place: Place) -> None:
    place.push(b"good")
    bad = place.push(b"bad").get_string_custom_property("pushed_version")
    good = versions.published(place.directory)[1].number
    withdrawal.rollback(place.directory, good)
    again = place.push(b"bad")
    assert not was_pushed(again)
    assert again.get_string_custom_property("withdrawn_version") == bad
    assert place.served() == b"good"
    assert was_pushed(place.push(b"better"))
    assert place.served() == b"better"


def test_a_run_that_was_killed_after_the_rename_says_pushed_when_it_is_started_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.push(b"old", run_id="monday")
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(Executor, "_MarkPushed", lambda *_: sys.exit("killed"))
        place.push(b"new", run_id="tuesday")
    again = place.push(b"new", run_id="tuesday")
    assert was_pushed(again)
    new, _ = versions.published(place.directory)
    assert again.get_string_custom_property("pushed_version") == str(new.number)
    assert not was_pushed(place.push(b"new", run_id="wednesday"))  # another run has not pushed it


class Store:
    """Plays a metadata store in which these runs were, and reported these pushes."""

    def __init__(self, runs: set[str]) -> None:
        self.store = self
        self.reported: list[metadata_store_pb2.Artifact] = []
        self._runs = runs

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get_context_by_type_and_name(self, kind: str, name: str) -> object | None:
        return name if kind == "pipeline_run" and name in self._runs else None

    def get_artifacts_by_type(self, kind: str) -> list[metadata_store_pb2.Artifact]:
        assert kind == "PushedModel"
        return self.reported

    def report(self, version: str, pushed: Artifact | None = None) -> None:
        artifact = metadata_store_pb2.Artifact()
        if pushed:
            artifact.CopyFrom(pushed.mlmd_artifact)
        artifact.state = metadata_store_pb2.Artifact.LIVE
        artifact.custom_properties["pushed_version"].string_value = version
        self.reported.append(artifact)


def test_a_push_that_was_killed_before_it_was_reported_is_reported_by_the_next_run(
    place: Place,
) -> None:
    killed = place.push(b"graph", run_id="tuesday").get_string_custom_property("pushed_version")
    strange = Store(set())  # another root, which pushes into the same directory
    assert not was_pushed(place.push(b"graph", run_id="wednesday", handle=strange))
    own = Store({"tuesday"})
    again = place.push(b"graph", run_id="wednesday", handle=own)
    assert was_pushed(again)
    assert again.get_string_custom_property("pushed_version") == killed
    assert len(versions.published(place.directory)) == 1
    own.report(killed)
    assert not was_pushed(place.push(b"graph", run_id="thursday", handle=own))
    assert was_pushed(place.push(b"other", run_id="friday", handle=Store({"tuesday"})))


def test_a_run_that_was_killed_after_a_push_that_was_rolled_back_says_so(place: Place) -> None:
    place.push(b"one", run_id="monday")
    first = versions.served(place.directory)
    assert first is not None
    second = place.push(b"two", run_id="tuesday").get_string_custom_property("pushed_version")
    withdrawal.rollback(place.directory, int(first.name))
    again = place.push(b"two", run_id="tuesday")  # the killed attempt, started once more
    assert not was_pushed(again)
    assert again.get_string_custom_property(WITHDRAWN_VERSION) == second
    assert place.served() == b"one"


def test_a_run_s_name_alone_pushes_nothing(place: Place) -> None:
    place.push(b"one", run_id="monday")
    assert was_pushed(place.push(b"two", run_id="monday"))  # a name that was used before
    assert place.served() == b"two"


def test_an_older_model_may_be_pushed_again(place: Place) -> None:
    place.push(b"old")
    place.push(b"new")
    assert was_pushed(place.push(b"old"))
    assert place.served() == b"old"


def test_no_more_versions_are_kept_than_configured(place: Place) -> None:
    for content in (b"1", b"2", b"3", b"4"):
        place.push(content, keep=2)
    assert place.served() == b"4"
    assert len(versions.published(place.directory)) == 2


def test_a_version_that_waits_for_its_trial_is_kept(place: Place) -> None:
    place.push(b"1", keep=1)
    canary.advance(place.directory)
    second = place.push(b"2", keep=1).get_string_custom_property("pushed_version")
    assert (place.directory / second).is_dir()


def test_of_a_store_only_what_was_pruned_here_goes(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed: list[list[int]] = []
    monkeypatch.setattr(upload, "upload", lambda version, store: None)
    monkeypatch.setattr(upload, "remove", lambda numbers, store: removed.append([*numbers]))
    for content in (b"1", b"2", b"3"):
        place.push(content, keep=2, store="s3://models")
        if content == b"2":
            first = min(version.number for version in versions.published(place.directory))
            withdrawal.rollback(place.directory, first)
    [second] = {*map(abs, sum(removed, []))}
    assert removed == [[], [], [second]] and second > first


def test_a_store_that_is_named_later_gets_the_model_served_already(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploaded: list[Path] = []
    monkeypatch.setattr(upload, "upload", lambda version, store: uploaded.append(version))
    place.push(b"1")
    assert not was_pushed(place.push(b"1", store="s3://models"))
    assert uploaded == [versions.served(place.directory)]


def test_a_canary_that_waits_for_servers_ends_no_push(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for content in (b"1", b"2"):
        place.push(content)
    monkeypatch.setattr(push_lock, "_LOCK_SECONDS", 0.1)
    with push_lock.labels_locked(place.directory):
        assert was_pushed(place.push(b"3", keep=1))
    assert place.served() == b"3" and len(versions.published(place.directory)) == 3
    assert "Old versions stay until the next push" in caplog.text
    place.push(b"4", keep=1)
    assert len(versions.published(place.directory)) == 1


def test_of_two_roots_the_one_that_was_compared_with_an_older_model_does_not_push(
    place: Place,
) -> None:
    place.push(b"first", compared=NO_VERSION)
    with refused(
        ServedMeanwhile,
        found="the gate compared the candidate with no model",
        allowed="another run pushed meanwhile, or a rollback took place",
        next="Run again",
    ):
        place.push(b"of another root, begun before the first push", compared=NO_VERSION)
    first = versions.served(place.directory)
    assert first is not None and place.served() == b"first"
    assert was_pushed(place.push(b"second", compared=first.name))
    with refused(
        ServedMeanwhile,
        found=f"compared the candidate with version {first.name}",
        allowed="another run pushed meanwhile, or a rollback took place",
        next="Run again",
    ):
        place.push(b"late", compared=first.name)
    assert not was_pushed(place.push(b"second", compared=first.name))  # served already
    assert place.served() == b"second"
    assert not [path.name for path in place.directory.iterdir() if path.name.startswith(".inco")]


def test_the_cache_key_has_the_state_of_the_push_directory(place: Place) -> None:
    def facts() -> dict[str, str]:
        return place.facts(standard_artifacts.Model())

    empty = facts()
    assert facts() != empty  # what was pushed the first time is gone when it is empty again
    place.push(b"1")
    one = facts()
    place.push(b"2")
    two = facts()
    assert facts() == two
    withdrawal.rollback(place.directory, int(json.loads(one["published"])[0][0]))
    rolled_back = facts()
    assert len({json.dumps(state) for state in (empty, one, two, rolled_back)}) == 4


def test_the_cache_has_the_push_while_its_version_is_served(place: Place) -> None:
    store = Store(set())
    place.push(b"old", handle=store)
    before = place.facts(place.model(b"new"), store)
    pushed = place.push(b"new", handle=store)
    store.report(pushed.get_string_custom_property("pushed_version"), pushed)
    assert place.facts(place.model(b"new"), store) == before
    assert place.facts(place.model(b"other"), store) != before
    assert place.facts(place.model(b"new"), Store(set())) != before  # of another root
    old = versions.published(place.directory)[1].number
    withdrawal.rollback(place.directory, old)
    assert place.facts(place.model(b"new"), store) != before
