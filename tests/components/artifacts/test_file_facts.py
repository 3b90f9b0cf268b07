"""A file of an artifact that was deleted or changed is named; one that was only copied is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from components.artifacts import file_facts


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    (tmp_path / "Split-train").mkdir()
    (tmp_path / "Split-train" / "data.tfrecord").write_bytes(b"record" * 100)
    (tmp_path / "classes.json").write_text('["a", "b"]')
    return tmp_path


def test_what_was_left_alone_has_no_change(artifact: Path) -> None:
    note = file_facts.noted(str(artifact))
    assert file_facts.change(str(artifact), note) is None
    os.utime(artifact / "classes.json", (1, 1))  # as a copy without times
    assert file_facts.change(str(artifact), note) is None


def test_what_was_noted_nowhere_is_not_judged(artifact: Path) -> None:
    assert file_facts.change(str(artifact), "") is None


@pytest.mark.parametrize("content", ['["a", "c"]', '["a", "b", "c"]'])
def test_a_changed_file_is_named_even_of_the_same_size(artifact: Path, content: str) -> None:
    note = file_facts.noted(str(artifact))
    (artifact / "classes.json").write_text(content)
    os.utime(artifact / "classes.json", (2, 2))
    wanted = f"{artifact}/classes.json was changed after it was written"
    assert file_facts.change(str(artifact), note) == wanted


def test_a_deleted_file_is_named(artifact: Path) -> None:
    note = file_facts.noted(str(artifact))
    (artifact / "Split-train" / "data.tfrecord").unlink()
    wanted = f"{artifact}/Split-train/data.tfrecord is not there any more"
    assert file_facts.change(str(artifact), note) == wanted
