"""The pipeline on a Flink and a Spark cluster of this machine; one of the workers is killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.types import OWN_BASE
from tests import beam_cluster
from tests.beam_cluster import Cluster
from tests.e2e.conftest import FirstRun, Place
from tests.e2e.same_results import assert_same
from tests.flink_cluster import FlinkCluster
from tests.spark_cluster import SparkCluster

pytestmark = pytest.mark.slow

KILLED = """
import importlib.abc, importlib.util, os, signal, sys

class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "components.bottleneck_gen.frozen_base":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            original = module.RunBase.rows

            def rows(self, batches):
                for number, row in enumerate(original(self, batches)):
                    if number == 5:
                        once()
                    yield row

            module.RunBase.rows = rows

        spec.loader.exec_module = exec_module
        return spec

def once():
    try:
        os.close(os.open(os.environ["KILLED"], os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)

sys.meta_path.insert(0, Finder())
"""
"""`sitecustomize` of the workers: the first one that has written five features is killed."""


@pytest.fixture(scope="module", params=[FlinkCluster, SparkCluster])
def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    kind: type[Cluster] = request.param
    folder = tmp_path_factory.mktemp(kind.engine.name)
    (folder / "path").mkdir()
    (folder / "path" / "sitecustomize.py").write_text(KILLED)
    worker = {"KILLED": str(folder / "killed"), "PYTHONPATH": str(folder / "path")}
    with beam_cluster.running(kind, folder / "cluster", worker) as started:
        yield started


@pytest.fixture(scope="module")
def on_cluster(first_run: FirstRun, cluster: Cluster, tmp_path_factory: Any) -> FirstRun:
    """The shared run's pictures and random base, by the same configuration on the cluster."""
    place = Place(first_run.pictures, tmp_path_factory.mktemp("on_cluster") / "root")
    arguments = ",".join(f'"{argument}"' for argument in cluster.arguments())
    base = first_run.output("BottleneckGen", "bottlenecks") / OWN_BASE
    result = place.run(f"runtime.beam=[{arguments}]", f"model.weights={base}")
    return FirstRun(place.pictures, place.root, result)


def test_a_run_whose_worker_was_killed_pushes_what_the_local_runner_does(
    first_run: FirstRun, on_cluster: FirstRun, cluster: Cluster
) -> None:
    assert_same(on_cluster, first_run)
    assert (cluster.folder.parent / "killed").exists()
    assert cluster.retries() > 0  # the engine did a part of a job again
    # The networks left no parcel, and the killed worker no file.
    made = on_cluster.output("BottleneckGen", "bottlenecks")
    assert not (made / "unfinished").exists()
    assert not list(Path(on_cluster.root).rglob("parcel-*"))
    for number in range(beam_cluster.NODES):
        assert cluster.has_worked(number)
        assert "Starting worker" in cluster.log(f"workers-{number}")
