"""A worker that is killed costs Flink and Spark a retry: no element is lost, none comes twice."""

from __future__ import annotations

from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from tests import beam_cluster
from tests.beam_cluster import Cluster
from tests.flink_cluster import FlinkCluster
from tests.pipeline.launch.on_workers import killed_once, line_of
from tests.spark_cluster import SparkCluster

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", [FlinkCluster, SparkCluster])
def test_a_killed_worker_costs_a_retry_and_no_element(kind: type[Cluster], tmp_path: Path) -> None:
    mark = tmp_path / "killed"
    with beam_cluster.running(kind, tmp_path / "cluster") as cluster:
        with beam.Pipeline(options=PipelineOptions(cluster.arguments())) as pipeline:
            _ = (
                pipeline
                | beam.Create(range(20))
                | beam.Reshuffle()
                | beam.Map(killed_once, str(mark))
                | beam.Map(lambda number: (number % 2, number))
                | beam.GroupByKey()
                | beam.MapTuple(line_of)
                | beam.io.WriteToText(str(tmp_path / "groups"))
            )
        assert mark.exists()
        assert cluster.retries() > 0
        for number in range(beam_cluster.NODES):
            assert cluster.has_worked(number)
    written = [line for file in tmp_path.glob("groups-*") for line in file.read_text().splitlines()]
    assert sorted(written) == [line_of(parity, range(parity, 20, 2)) for parity in (0, 1)]
