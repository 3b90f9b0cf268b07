"""The pipeline on a Flink and a Spark cluster of this machine; one of the workers is killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.artifacts import features
from components.artifacts.examples import Example
from components.artifacts.tfrecords import read_records
from components.artifacts.types import OWN_BASE
from tests import beam_cluster
from tests.beam_cluster import Cluster
from tests.e2e.conftest import FirstRun, Place
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


def split_of(run: FirstRun, split: str) -> dict[str, bytes]:
    folder = run.output("ImageExampleGen", "examples") / f"Split-{split}"
    rows = list(read_records(str(folder)).as_numpy_iterator())
    found = {Example(row).text(features.FILENAME): row for row in rows}
    assert len(found) == len(rows)
    return found


def features_of(run: FirstRun, split: str) -> dict[str, np.ndarray]:
    folder = run.output("BottleneckGen", "bottlenecks") / f"Split-{split}"
    rows = map(Example, read_records(str(folder)).as_numpy_iterator())
    return {row.text(features.FILENAME): np.array(row.floats(features.BOTTLENECK)) for row in rows}


def test_a_run_whose_worker_was_killed_pushes_what_the_local_runner_does(
    first_run: FirstRun, on_cluster: FirstRun, cluster: Cluster
) -> None:
    assert on_cluster.result["error"] is None and on_cluster.result["verdict"] == "pushed"
    assert (cluster.folder.parent / "killed").exists()
    assert cluster.retries() > 0  # the engine did a part of a job again
    for split in features.SPLITS:
        assert split_of(on_cluster, split) == split_of(first_run, split)
    for split in (features.TRAIN, features.EVAL):
        found, expected = features_of(on_cluster, split), features_of(first_run, split)
        assert found.keys() == expected.keys()
        for file, values in found.items():
            assert np.corrcoef(values, expected[file])[0, 1] > 0.9999
    for metric in ("accuracy", "balanced_accuracy", "class_recall", "class_pictures"):
        assert on_cluster.result["metrics"][metric] == first_run.result["metrics"][metric]
    assert on_cluster.result["metrics"].keys() == first_run.result["metrics"].keys()
    gates = [[row["metric"], row["slice"], row["passed"]] for row in on_cluster.result["gate"]]
    assert gates == [
        [row["metric"], row["slice"], row["passed"]] for row in first_run.result["gate"]
    ]
    # The networks left no parcel, and the killed worker no file.
    made = on_cluster.output("BottleneckGen", "bottlenecks")
    assert not (made / "unfinished").exists()
    assert not list(Path(on_cluster.root).rglob("parcel-*"))
    for number in range(beam_cluster.NODES):
        assert cluster.has_worked(number)
        assert "Starting worker" in cluster.log(f"workers-{number}")
