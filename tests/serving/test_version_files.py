from __future__ import annotations

from pathlib import Path

import pytest

from serving.version_files import missing

WHOLE = (
    "saved_model.pb",
    "variables/variables.index",
    "variables/variables.data-00000-of-00002",
    "variables/variables.data-00001-of-00002",
)


@pytest.fixture
def version(tmp_path: Path) -> Path:
    (tmp_path / "variables").mkdir()
    for name in WHOLE:
        (tmp_path / name).write_bytes(b"content")
    return tmp_path


def test_a_whole_version_lacks_nothing_nor_does_one_without_variables(version: Path) -> None:
    assert missing(version) is None
    for name in WHOLE[1:]:
        (version / name).unlink()
    assert missing(version) is None
    (version / "variables").rmdir()
    assert missing(version) is None


def test_a_version_without_its_graph_says_so(version: Path) -> None:
    (version / "saved_model.pb").unlink()
    assert missing(version) == "no saved_model.pb"


@pytest.mark.parametrize("emptied", [True, False])
@pytest.mark.parametrize("name", WHOLE[1:])
def test_each_file_of_variables_that_is_gone_or_empty_is_named(
    version: Path, name: str, emptied: bool
) -> None:
    (version / name).unlink()
    if emptied:
        (version / name).touch()
    reason = missing(version)
    assert reason is not None and name.partition("-")[0] in reason
