from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.orchestration.metadata import Metadata, sqlite_metadata_connection_config

from components.step import earlier_outputs


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Any]:
    connection = sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))
    with Metadata(connection) as handle:
        yield handle.store


def execution(store: Any) -> int:
    kind = store.put_execution_type(mlmd.ExecutionType(name="Step"))
    [number] = store.put_executions([mlmd.Execution(type_id=kind)])
    return int(number)


def test_an_output_that_is_older_than_its_execution_is_of_another_store(
    store: Any, tmp_path: Path
) -> None:
    number = execution(store)
    earlier, killed, none = (tmp_path / name / str(number) for name in ("a", "b", "c"))
    for folder in (earlier, killed):
        folder.mkdir(parents=True)
    os.utime(earlier, (1e9, 1e9))
    (tmp_path / "a" / f"{number}.earlier").touch()
    found = earlier_outputs.asides(store, map(str, (earlier, killed, none)))
    assert found == {str(earlier): f"{earlier}.earlier-2"}


def test_the_newest_whole_output_comes_first(tmp_path: Path) -> None:
    for age, name in enumerate(("3", "12.earlier", "7.changed-1", "20")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "part").touch()
        if name != "20":
            (tmp_path / name / "report.json").touch()
            os.utime(tmp_path / name / "report.json", (1e9 - age, 1e9 - age))
    found = earlier_outputs.newest_first(str(tmp_path), "report.json")
    assert found == [str(tmp_path / "3"), str(tmp_path / "12.earlier")]
    assert earlier_outputs.newest_first(str(tmp_path / "none"), "report.json") == []
    assert earlier_outputs.newest_first("hdfs://no/library/for/it", "report.json") == []
