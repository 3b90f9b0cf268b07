"""Rollbacks, as a server that polls sees them."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path

import pytest

from serving.publishing import publish
from serving.version_names import strangers
from serving.versions import VersionError, published
from serving.withdrawal import rollback
from tests.explains import refused
from tests.serving.push_directory import changes, model, numbers, polled


@pytest.fixture
def saved_model(tmp_path: Path) -> Path:
    return model(tmp_path / "saved_model")


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    return tmp_path / "pushed" / "classifier"


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


def test_a_version_that_is_there_twice_is_named(model_dir: Path) -> None:
    for name in ("2", "3", "3.withdrawn"):
        model(model_dir / name)
    assert [(each.number, each.state) for each in published(model_dir)] == [
        (3, "served"),
        (2, "older"),
    ]
    assert [f"{model_dir}/3.withdrawn is ignored" in each for each in strangers(model_dir)] == [
        True
    ]
    with refused(
        VersionError,
        found=f"{model_dir}/3 can't become 3.withdrawn",
        allowed="is there already",
        next="Move one of the two away",
    ):
        rollback(model_dir, 2)


def test_a_rollback_keeps_the_time_of_publishing(saved_model: Path, model_dir: Path) -> None:
    first, second = publish(saved_model, model_dir), publish(saved_model, model_dir)
    os.utime(model_dir / str(second), (1e9, 1e9))
    rollback(model_dir, first)
    assert published(model_dir)[0].published == datetime.fromtimestamp(1e9, timezone.utc)


def test_a_folder_of_others_gets_no_lock(tmp_path: Path) -> None:
    with refused(VersionError, found="has no version 1", allowed="none", next="push a model first"):
        rollback(tmp_path, 1)
    assert not list(tmp_path.iterdir())


def test_an_unknown_version_is_refused_with_those_there_are(model_dir: Path) -> None:
    model(model_dir / "3")
    model(model_dir / "7")
    rollback(model_dir, 3)
    with refused(
        VersionError,
        found="no version 5",
        allowed=r"it has 7 \(withdrawn\), 3 \(served\)",
        next="Name one of these",
    ):
        rollback(model_dir, 5)
