"""The node runner refuses wrong arguments before it starts anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from tfx.proto.orchestration import pipeline_pb2

from components.errors import ConfigError
from pipeline import node_runner
from tests.explains import refused


def _compiled(root: str) -> pipeline_pb2.Pipeline:
    compiled = pipeline_pb2.Pipeline()
    compiled.runtime_spec.pipeline_root.field_value.string_value = root
    for name in ("ImageExampleGen", "Trainer"):
        compiled.nodes.add().pipeline_node.node_info.id = name
    return compiled


def test_a_compiled_pipeline_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "compiled.json"
    node_runner.write_compiled(_compiled("/runs"), path)
    assert node_runner.read_compiled(path) == _compiled("/runs")
    assert [file.name for file in tmp_path.iterdir()] == ["compiled.json"]


@pytest.mark.parametrize("content", [None, "no JSON", "[]", '{"unknown": 1}'])
def test_what_is_no_compiled_pipeline_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "compiled.json"
    if content is not None:
        path.write_text(content)
    with refused(
        ConfigError,
        found="compiled.json",
        allowed="is not a compiled pipeline",
        next="`transfer-pipeline compile --target tfx` writes one",
    ):
        node_runner.read_compiled(path)


def test_an_unknown_node_is_refused_with_those_that_there_are() -> None:
    with refused(
        ConfigError,
        found="No node 'Tuner'",
        allowed="the nodes are ImageExampleGen, Tr",
        next="Name one of them",
    ):
        node_runner.run_node(_compiled("/runs"), "Tuner")
