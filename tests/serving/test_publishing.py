"""Pushes and pruning, whole or not at all."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from serving import version_facts
from serving.publishing import prune, publish
from serving.versions import VersionError, published, published_by, served
from serving.withdrawal import rollback
from tests.explains import refused
from tests.serving.push_directory import hidden, model, numbers


@pytest.fixture
def saved_model(tmp_path: Path) -> Path:
    return model(tmp_path / "saved_model")


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    return tmp_path / "pushed" / "classifier"


def test_a_published_version_is_a_whole_copy_and_served(saved_model: Path, model_dir: Path) -> None:
    before = datetime.now(timezone.utc) - timedelta(seconds=1)
    number = publish(saved_model, model_dir)
    assert served(model_dir) == model_dir / str(number)
    assert (model_dir / str(number) / "variables" / "variables.index").read_text() == "weights"
    (version,) = published(model_dir)
    assert (version.number, version.state) == (number, "served")
    assert before <= version.published <= datetime.now(timezone.utc) + timedelta(seconds=1)


def test_a_number_is_the_time_unless_a_greater_one_was_there(
    saved_model: Path, model_dir: Path
) -> None:
    now = int(time.time())
    first = publish(saved_model, model_dir)
    assert now <= first <= now + 60
    assert publish(saved_model, model_dir) > first
    future = model(model_dir / "99999999999")
    assert publish(saved_model, model_dir) == int(future.name) + 1


def test_numbers_of_withdrawn_and_of_pruned_versions_stay_taken(
    saved_model: Path, model_dir: Path
) -> None:
    model(model_dir / "5")
    model(model_dir / "99999999999")
    rollback(model_dir, 5)
    assert prune(model_dir, keep=1) == [99999999999]
    assert numbers(model_dir, "served") == [5]
    assert publish(saved_model, model_dir) == 99999999999 + 1


def test_what_was_kept_in_two_files_before_is_read_and_goes_on_in_one(
    saved_model: Path, model_dir: Path
) -> None:
    model(model_dir / "5")
    (model_dir / ".greatest-version").write_text("99999999999")
    (model_dir / ".makers.json").write_text('{"5": "run/monday", "4": "run/pruned"}')
    version = published_by(model_dir, "run/monday")
    assert version is not None and version.number == 5
    assert publish(saved_model, model_dir, "run/tuesday") == 99999999999 + 1
    assert version_facts.read(model_dir) == version_facts.Facts(
        99999999999 + 1, {5: "run/monday", 99999999999 + 1: "run/tuesday"}
    )
    assert not hidden(model_dir) & {".greatest-version", ".makers.json"}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"greatest": null, "makers": {}}',
        '{"greatest": 1e400, "makers": {}}',
        '{"greatest": 7.9, "makers": {}}',
        '{"greatest": 7, "makers": {"-5": "run"}}',
        "\0",
    ],
)
def test_a_damaged_file_of_facts_is_made_anew_and_stops_no_push(
    content: str, saved_model: Path, model_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model(model_dir / "99999999999")
    (model_dir / ".versions.json").write_text(content)
    assert publish(saved_model, model_dir, "run/monday") == 99999999999 + 1
    assert ".versions.json is damaged" in caplog.text
    assert version_facts.read(model_dir).makers == {99999999999 + 1: "run/monday"}


def test_what_is_in_place_of_the_file_of_facts_stops_no_push(
    saved_model: Path, model_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model(model_dir / ".versions.json")
    for number in (1, 2):
        publish(saved_model, model_dir, f"run/{number}")
    assert ".versions.json is damaged (it is no file)" in caplog.text
    assert set(version_facts.read(model_dir).makers.values()) == {"run/1", "run/2"}
    assert (model_dir / ".versions.json.damaged" / "saved_model.pb").is_file()


def test_what_is_in_place_of_the_lock_is_named(saved_model: Path, model_dir: Path) -> None:
    (model_dir / ".lock").mkdir(parents=True)
    with refused(
        VersionError, found="lock is no file", allowed="a file there", next="Move it away"
    ):
        publish(saved_model, model_dir)


def test_the_greatest_number_of_all_is_remembered(saved_model: Path, model_dir: Path) -> None:
    model_dir.mkdir(parents=True)
    version_facts.write(model_dir, version_facts.Facts(greatest=2**63 - 2))
    assert publish(saved_model, model_dir, "run/monday") == 2**63 - 1
    assert version_facts.read(model_dir).makers == {2**63 - 1: "run/monday"}


def test_a_number_after_which_none_is_left_is_named(saved_model: Path, model_dir: Path) -> None:
    model(model_dir / str(2**63 - 1))
    with refused(
        VersionError,
        found=f"has a version {2**63 - 1}",
        allowed="the greatest number that a server can hold",
        next="Rename its folder to a smaller number, and remove .versions.json",
    ):
        publish(saved_model, model_dir)


@pytest.mark.parametrize("name", [".greatest-version", ".makers.json"])
@pytest.mark.parametrize("content", [b"", b"\xff\0", b"[1"])
def test_damaged_files_of_before_stop_no_push(
    name: str, content: bytes, saved_model: Path, model_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model(model_dir / "99999999999")
    (model_dir / name).write_bytes(content)
    assert publish(saved_model, model_dir) == 99999999999 + 1
    assert f"{name} is damaged" in caplog.text


@pytest.fixture
def closed_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def test_what_is_pushed_can_be_read_by_who_can_read_the_directory(
    saved_model: Path,
    model_dir: Path,
    closed_umask: None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    model_dir.parent.mkdir(parents=True)
    model_dir.parent.chmod(0o755)
    number = publish(saved_model, model_dir)
    for path in [model_dir, *(model_dir / str(number)).rglob("*"), model_dir / str(number)]:
        assert path.stat().st_mode & 0o044 == 0o044, path
    assert not caplog.text


def test_a_directory_that_no_other_user_can_read_is_told(
    saved_model: Path, model_dir: Path, closed_umask: None, caplog: pytest.LogCaptureFixture
) -> None:
    publish(saved_model, model_dir)
    assert "another user" in caplog.text


def test_a_failed_push_leaves_nothing(saved_model: Path, model_dir: Path) -> None:
    number = publish(saved_model, model_dir)
    before = hidden(model_dir)
    (saved_model / "variables" / "variables.data").symlink_to("missing")
    with pytest.raises(OSError):
        publish(saved_model, model_dir)
    assert served(model_dir) == model_dir / str(number)
    assert hidden(model_dir) == before


def test_what_a_killed_push_left_is_swept_by_the_next(saved_model: Path, model_dir: Path) -> None:
    model(model_dir / ".incoming-dead")
    model(model_dir / ".removing-dead")
    publish(saved_model, model_dir)
    assert not any(name.endswith("-dead") for name in hidden(model_dir))


def test_what_is_no_saved_model_is_not_published(tmp_path: Path, model_dir: Path) -> None:
    with refused(
        VersionError,
        found="is no SavedModel",
        allowed=r"saved_model\.pb",
        next="Name the folder in which that file is",
    ):
        publish(tmp_path, model_dir)
    assert not model_dir.exists()


def test_concurrent_pushes_get_a_number_each(saved_model: Path, model_dir: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda _: publish(saved_model, model_dir), range(16)))
    assert sorted(given) == sorted(version.number for version in published(model_dir))
    assert len(set(given)) == 16


def test_pruning_keeps_the_newest_and_drops_withdrawn_ones_first(model_dir: Path) -> None:
    for number in (1, 2, 3, 4, 5):
        model(model_dir / str(number))
    rollback(model_dir, 3)
    assert prune(model_dir, keep=4) == [4]
    assert prune(model_dir, keep=2) == [5, 1]
    assert (numbers(model_dir, "served"), numbers(model_dir, "older")) == ([3], [2])
    assert prune(model_dir, keep=1) == [2]
    assert prune(model_dir, keep=1) == []
    with refused(VersionError, found="keep=0", allowed="At least the served", next="Keep 1 or"):
        prune(model_dir, keep=0)


def test_pruning_keeps_the_pinned_version_also_where_it_was_withdrawn(model_dir: Path) -> None:
    for number in (1, 2, 3, 4, 5):
        model(model_dir / str(number))
    assert prune(model_dir, keep=3, pinned=1) == [2, 3]
    rollback(model_dir, 4)
    assert prune(model_dir, keep=1, pinned=5) == [1]
    assert (numbers(model_dir, "served"), numbers(model_dir, "withdrawn")) == ([4], [5])
    assert prune(model_dir, keep=1) == [5]
