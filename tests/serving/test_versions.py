"""What a push directory holds, whatever was done to it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.publishing import prune, publish
from serving.version_names import strangers
from serving.versions import VersionError, check_is_push_directory, published, served
from serving.withdrawal import rollback
from tests.explains import refused
from tests.serving.push_directory import model, numbers


@pytest.fixture
def saved_model(tmp_path: Path) -> Path:
    return model(tmp_path / "saved_model")


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    return tmp_path / "pushed" / "classifier"


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


@pytest.mark.parametrize("content", [None, "notes.txt"])
def test_a_folder_that_nothing_was_pushed_into_is_told(content: str | None, tmp_path: Path) -> None:
    if content:
        (tmp_path / content).write_text("")
    with refused(
        VersionError,
        found=f"no push directory: .*{content or 'it is empty'}",
        allowed="a push directory holds a folder per version",
        next="Name the one that models are pushed to",
    ):
        check_is_push_directory(tmp_path)


@pytest.mark.parametrize(
    "act", [published, lambda path: prune(path, 1), lambda path: rollback(path, 1)]
)
def test_a_missing_directory_is_named(act: Callable[[Path], object], tmp_path: Path) -> None:
    with refused(
        VersionError,
        found="no directory .*missing",
        allowed="that models are pushed to",
        next="name the one",
    ):
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
