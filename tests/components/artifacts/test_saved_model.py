from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tfx.types import standard_artifacts

from components.artifacts.saved_model import digest, served, serving_dir


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "variables.index").write_bytes(b"index")
    return folder


def test_a_copy_has_the_same_digest(model: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(model, tmp_path / "elsewhere" / "7")
    assert digest(copy) == digest(str(model))


def _change(model: Path) -> None:
    (model / "saved_model.pb").write_bytes(b"grapH")


def _rename(model: Path) -> None:
    (model / "saved_model.pb").rename(model / "saved_model.pbtxt")


def _move(model: Path) -> None:
    (model / "saved_model.pb").rename(model / "variables" / "saved_model.pb")


def _add(model: Path) -> None:
    (model / "empty").touch()


def _swap(model: Path) -> None:
    (model / "saved_model.pb").write_bytes(b"index")
    (model / "variables" / "variables.index").write_bytes(b"graph")


@pytest.mark.parametrize("change", [_change, _rename, _move, _add, _swap])
def test_any_change_to_a_file_changes_the_digest(
    model: Path, change: Callable[[Path], None]
) -> None:
    before = digest(model)
    change(model)
    assert digest(model) != before


def test_the_saved_model_lies_where_tfx_has_it(tmp_path: Path) -> None:
    assert serving_dir("/a/model/3") == "/a/model/3/Format-Serving"


def test_the_baseline_is_found_where_one_is_served(tmp_path: Path) -> None:
    artifact = standard_artifacts.Model()
    artifact.uri = str(tmp_path)
    assert served([artifact]) is None
    (tmp_path / "Format-Serving").mkdir()
    assert served([artifact]) == str(tmp_path / "Format-Serving")
    assert served([]) is None
