from __future__ import annotations

from pathlib import Path

import pytest
from tfx.types.artifact import Artifact

from components.artifacts import types as artifact_types
from components.artifacts.types import ClassList, GateVerdict, IngestReport


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (ClassList, "classes.json"),
        (IngestReport, "report.json"),
        (GateVerdict, "verdict.json"),
    ],
)
def test_a_document_is_read_as_it_was_written(
    tmp_path: Path, kind: type[Artifact], name: str
) -> None:
    artifact = kind()
    artifact.uri = str(tmp_path / "not" / "made" / "yet")
    value = {"grün": [1, 0.5, None], "rot": {"a": True}}
    artifact_types.write(artifact, value)
    assert artifact_types.read(artifact) == value
    assert Path(artifact_types.path_in(artifact, name)).is_file()


def test_type_names_are_stable_for_the_metadata_of_earlier_runs() -> None:
    kinds: list[type[Artifact]] = [
        ClassList,
        IngestReport,
        GateVerdict,
        artifact_types.Bottlenecks,
        artifact_types.Predictions,
    ]
    assert [kind.TYPE_NAME for kind in kinds] == [kind.__name__ for kind in kinds]
