from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving import version_facts
from serving.versions import (
    VersionError,
    check_is_push_directory,
    prune,
    publish,
    published,
    published_by,
    rollback,
    served,
    strangers,
)


def model(folder: Path, content: str = "weights") -> Path:
    """Something that looks like a SavedModel from outside, with files at two levels."""
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_text("graph")
    (folder / "variables" / "variables.index").write_text(content)
    return folder


@pytest.fixture
def saved_model(tmp_path: Path) -> Path:
    return model(tmp_path / "saved_model")


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    return tmp_path / "pushed" / "classifier"


def numbers(model_dir: Path, state: str) -> list[int]:
    return [version.number for version in published(model_dir) if version.state == state]


def hidden(model_dir: Path) -> set[str]:
    return {path.name for path in model_dir.iterdir() if path.name.startswith(".")}


@contextmanager
def polled(model_dir: Path) -> Iterator[list[int | None]]:
    """Collects the versions that a server finds before every single rename, and at the end."""
    seen: list[int | None] = []
    watching = True

    def look(event: str, _: object) -> None:
        if watching and event == "os.rename":
            path = served(model_dir)
            seen.append(int(path.name) if path else None)

    sys.addaudithook(look)
    try:
        yield seen
        look("os.rename", None)
    finally:
        watching = False


def changes(seen: list[int | None]) -> list[int | None]:
    return [number for at, number in enumerate(seen) if at == 0 or number != seen[at - 1]]


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


@pytest.mark.parametrize("content", ["", "{", "[]", '{"greatest": null, "makers": {}}', "\0"])
def test_a_damaged_file_of_facts_is_made_anew_and_stops_no_push(
    content: str, saved_model: Path, model_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model(model_dir / "99999999999")
    (model_dir / ".versions.json").write_text(content)
    assert publish(saved_model, model_dir, "run/monday") == 99999999999 + 1
    assert ".versions.json is damaged" in caplog.text
    assert version_facts.read(model_dir).makers == {99999999999 + 1: "run/monday"}


def test_names_that_no_server_reads_are_no_versions(saved_model: Path, model_dir: Path) -> None:
    number = publish(saved_model, model_dir)
    model(model_dir / "12-copy")
    model(model_dir / ".incoming-other")
    (model_dir / "99999999999").write_text("a file")
    assert [version.number for version in published(model_dir)] == [number]


@pytest.mark.parametrize("name", [str(2**63), "9" * 40, "0123", "99999999999", "7.withdrawn"])
def test_what_only_looks_like_a_version_is_ignored_named_and_stepped_over(
    name: str, saved_model: Path, model_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model_dir.mkdir(parents=True)
    if name in ("99999999999", "7.withdrawn"):
        (model_dir / name).write_text("a file")
    else:
        model(model_dir / name)
    number = publish(saved_model, model_dir)
    assert number < 2**63
    assert [version.number for version in published(model_dir)] == [number]
    assert str(model_dir / name) in caplog.text
    (sentence,) = strangers(model_dir)
    assert name in sentence
    if name == "99999999999":
        assert number == int(name) + 1


def test_a_number_after_which_none_is_left_is_named(saved_model: Path, model_dir: Path) -> None:
    model(model_dir / str(2**63 - 1))
    with pytest.raises(VersionError, match="the greatest number that a server can hold"):
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


@pytest.mark.parametrize("content", [None, "notes.txt"])
def test_a_folder_that_nothing_was_pushed_into_is_told(content: str | None, tmp_path: Path) -> None:
    if content:
        (tmp_path / content).write_text("")
    with pytest.raises(VersionError, match=f"no push directory: .*{content or 'it is empty'}"):
        check_is_push_directory(tmp_path)


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
    with pytest.raises(VersionError, match=r"no SavedModel.*saved_model\.pb"):
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
    with pytest.raises(VersionError, match="keep=0"):
        prune(model_dir, keep=0)


@pytest.mark.parametrize(
    ("withdrawn", "to", "after"),
    [
        ([], 2, [3, 4, 5]),  # back over several versions
        ([5], 5, []),  # undone
        ([3, 4, 5], 4, [5]),  # half undone
        ([3, 4], 4, [5]),  # to a withdrawn version below the served one: 5 goes, 3 and 4 come
        ([4, 5], 3, [4, 5]),  # nothing to do
    ],
)
def test_a_polling_server_sees_one_step(
    withdrawn: list[int], to: int, after: list[int], model_dir: Path
) -> None:
    for number in (1, 2, 3, 4, 5):
        name = f"{number}.withdrawn" if number in withdrawn else str(number)
        model(model_dir / name, content=f"weights {number}")
    start = max(number for number in (1, 2, 3, 4, 5) if number not in withdrawn)
    with polled(model_dir) as seen:
        rollback(model_dir, to)
    assert changes(seen) == ([start, to] if start != to else [to])
    assert numbers(model_dir, "withdrawn") == after[::-1]
    assert numbers(model_dir, "served") == [to]


def test_a_rollback_keeps_the_time_of_publishing(saved_model: Path, model_dir: Path) -> None:
    first, second = publish(saved_model, model_dir), publish(saved_model, model_dir)
    os.utime(model_dir / str(second), (1e9, 1e9))
    rollback(model_dir, first)
    assert published(model_dir)[0].published == datetime.fromtimestamp(1e9, timezone.utc)


def test_an_unknown_version_is_refused_with_those_there_are(model_dir: Path) -> None:
    model(model_dir / "3")
    model(model_dir / "7")
    rollback(model_dir, 3)
    with pytest.raises(VersionError, match=r"no version 5; it has 7 \(withdrawn\), 3 \(served\)"):
        rollback(model_dir, 5)


@pytest.mark.parametrize(
    "act", [published, lambda path: prune(path, 1), lambda path: rollback(path, 1)]
)
def test_a_missing_directory_is_named(act: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises(VersionError, match="no directory .*missing"):
        act(tmp_path / "missing")
    assert served(tmp_path / "missing") is None
    assert not (tmp_path / "missing").exists()


actions = st.one_of(
    st.tuples(st.just("publish"), st.just(0)),
    st.tuples(st.just("prune"), st.integers(1, 4)),
    st.tuples(st.just("rollback"), st.integers(0, 8)),
)


@given(st.lists(actions, max_size=12))
@settings(max_examples=60, deadline=None)
def test_whatever_happens_one_is_served_none_lost_and_no_number_used_twice(
    history: list[tuple[str, int]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source, model_dir = model(Path(folder, "model")), Path(folder, "pushed")
        ever = [publish(source, model_dir)]
        there = set(ever)
        for action, argument in history:
            if action == "publish":
                ever.append(publish(source, model_dir))
                there.add(ever[-1])
                assert numbers(model_dir, "served") == [ever[-1]]
            elif action == "prune":
                last = numbers(model_dir, "served")
                there -= set(prune(model_dir, argument))
                assert len(there) <= argument
                assert numbers(model_dir, "served") == last
            else:
                to = sorted(there)[argument % len(there)]
                rollback(model_dir, to)
                assert numbers(model_dir, "served") == [to]
            assert {version.number for version in published(model_dir)} == there
        assert ever == sorted(set(ever))
