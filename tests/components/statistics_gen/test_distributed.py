"""TFX counts on Beam's workers the same as our own StatisticsGen in one process."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.types import standard_artifacts

from components.settings.beam_options import pipeline_arguments
from components.settings.runtime import Runtime
from components.statistics_gen.executor import (
    COUNTED,
    Executor,
    StatisticsSettings,
    of_pictures,
)
from components.step.base import settings_in
from pipeline import config
from pipeline.definition import create_pipeline
from tests.components.made_artifacts import SCHEMA
from tests.components.made_step import execute


@pytest.fixture(scope="module")
def schema() -> schema_pb2.Schema:
    return text_format.Parse(SCHEMA.read_text(), schema_pb2.Schema())


@pytest.fixture(scope="module")
def counted(split: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Returns the statistics of the split that the step counts on Beam's workers."""
    folder = tmp_path_factory.mktemp("statistics")
    inputs = {"examples": standard_artifacts.Examples(), "schema": standard_artifacts.Schema()}
    inputs["examples"].uri, inputs["examples"].split_names = str(Path(split).parent), '["train"]'
    inputs["schema"].uri = str(folder / "schema")
    shutil.copytree(
        SCHEMA.parent, inputs["schema"].uri, ignore=shutil.ignore_patterns("*.py", "_*")
    )
    found = standard_artifacts.ExampleStatistics()
    found.uri = str(folder / "found")
    context = Executor.Context(
        beam_pipeline_args=pipeline_arguments(Runtime().beam), tmp_dir=str(folder), unique_id="1"
    )
    given = {key: [artifact] for key, artifact in inputs.items()}
    execute(Executor(context), StatisticsSettings(distributed=True), given, {"statistics": found})
    return stats_artifact_utils.load_statistics(found, "train").proto()


def by_name(counted: Any) -> dict[str, Any]:
    return {feature.path.step[0]: feature for feature in counted.datasets[0].features}


def test_what_the_schema_names_is_counted(counted: Any, schema: schema_pb2.Schema) -> None:
    assert set(COUNTED) == {feature.name for feature in schema.feature}
    assert set(by_name(counted)) == set(COUNTED)
    assert not tfdv.validate_statistics(counted, schema).anomaly_info


def test_it_is_what_is_counted_in_one_process(
    counted: Any, schema: schema_pb2.Schema, split: str
) -> None:
    for ours in of_pictures(split, schema).datasets[0].features:
        theirs = by_name(counted)[ours.path.step[0]]
        assert ours.WhichOneof("stats") == theirs.WhichOneof("stats")
        for name in ("min", "max", "mean", "std_dev"):
            if ours.WhichOneof("stats") == "num_stats":
                found = getattr(ours.num_stats, name)
                assert found == pytest.approx(getattr(theirs.num_stats, name), abs=1e-6), name
        assert ours.string_stats.rank_histogram == theirs.string_stats.rank_histogram
        assert ours.bytes_stats.max_num_bytes == theirs.bytes_stats.max_num_bytes


@pytest.mark.parametrize(
    ("beam", "distributed"),
    [
        (Runtime().beam, False),
        (["--runner=PortableRunner", "--job_endpoint=localhost:1"], True),
    ],
)
def test_workers_count_where_beam_runs_elsewhere(beam: list[str], distributed: bool) -> None:
    tree = {"data": {"source": "/x"}, "push": {"directory": "/y"}, "runtime": {"beam": beam}}
    nodes = create_pipeline(config.build(tree)).components
    [node] = [node for node in nodes if node.id == "StatisticsGen"]
    settings = settings_in(node.exec_properties, StatisticsSettings)
    assert settings.distributed is distributed
