"""A `models.config` with labels besides ours: what they hold is loaded, and stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import text_format

from serving import canary
from serving.config_files import read_models
from serving.publishing import prune
from serving.versions import VersionError
from tests.explains import refused
from tests.serving.push_directory import model, numbers


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    return tmp_path / "pushed"


def test_a_version_of_another_label_is_loaded_already(model_dir: Path) -> None:
    path = _with_label(model_dir, "blue", 1)
    assert canary.rollback(model_dir, 1) is not None
    assert numbers(model_dir, "served") == [1]
    assert _labels(path) == {"stable": 1, "canary": 1, "blue": 1}


def test_a_version_of_another_label_goes_neither_by_rollback_nor_by_pruning(
    model_dir: Path,
) -> None:
    path = _with_label(model_dir, "blue", 3)
    for _ in range(3):
        canary.rollback(model_dir, 2)
    assert numbers(model_dir, "served") == [2] and (model_dir / "3").is_dir()
    assert prune(model_dir, keep=1) == [1]
    assert (model_dir / "3").is_dir()
    assert _labels(path) == {"stable": 2, "canary": 2, "blue": 3}


def test_a_rollback_that_was_begun_is_not_promoted(model_dir: Path) -> None:
    _with_label(model_dir, "blue", 3)
    canary.rollback(model_dir, 2)
    with refused(
        VersionError,
        found="A rollback from version 3 to 2 was begun",
        allowed="2 is not on trial",
        next="rollback .* --to 2` ends it, `.* --withdraw` gives it up",
    ):
        canary.promote(model_dir)


def _with_label(model_dir: Path, label: str, number: int) -> Path:
    """Pushes versions 1 to 3, with 3 stable, and adds a label; returns the file."""
    for each in (1, 2, 3):
        model(model_dir / str(each))
    canary.advance(model_dir)
    path = model_dir / "models.config"
    document = read_models(path)
    [own] = document.model_config_list.config
    own.version_labels[label] = number
    policy = own.model_version_policy.specific.versions
    policy[:] = sorted({*policy, number})
    path.write_text(text_format.MessageToString(document))
    return path


def _labels(path: Path) -> dict[str, int]:
    [own] = read_models(path).model_config_list.config
    assert {*own.version_labels.values()} <= {*own.model_version_policy.specific.versions}
    return dict(own.version_labels)
