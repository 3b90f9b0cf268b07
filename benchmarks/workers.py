"""BottleneckGen on one and on two workers of a Flink cluster on this machine, one thread each.

`python -m benchmarks.workers 5120` measures at this number of pictures. The node's seconds are what
a run shows: the job's and the workers' start and imports are in them, and weigh less the more
pictures there are. It needs Java and the jars of `make cluster-setup`, which it fetches.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import noise_pictures
from benchmarks.figures import recorded, show_bound, show_table
from benchmarks.measured_run import answer
from components.artifacts.types import OWN_BASE
from tests import beam_cluster
from tests.beam_cluster import Cluster
from tests.flink_cluster import FlinkCluster

PICTURES = 5_120  # portions of 256, as many for each of two workers
_SIDE = 299  # pixels
_FASTER = 1.6  # promised of two workers
_NODE = "BottleneckGen"
_ONE_THREAD = dict.fromkeys(
    ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), "1"
)
_ASSIGNMENTS = [
    *("model.backbone=inception_v3", f"image.size=[{_SIDE}, {_SIDE}]"),
    "data.splits={train: 8, eval: 1, test: 1}",
]


def main(count: int = PICTURES) -> None:
    """Measures one worker, then two, and holds the second against the first."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        pictures, few = Path(scratch, "pictures"), Path(scratch, "few")
        noise_pictures.make(pictures, count, _SIDE)
        noise_pictures.make(few, 60, _SIDE)
        # All start with one base: a random one is scaled to the pictures, by the node itself.
        _run(few, Path(scratch, "base"), "model.weights=null", to=_NODE)
        [base] = Path(scratch, "base").glob(f"*/{_NODE}/bottlenecks/*/{OWN_BASE}")
        weights = f"model.weights={base}"
        with beam_cluster.running(FlinkCluster, Path(scratch, "cluster"), _ONE_THREAD) as cluster:
            seconds = {
                workers: _measured(pictures, Path(scratch, f"{workers}"), weights, cluster, workers)
                for workers in (1, 2)
            }
    rows = [
        [f"{workers}", f"{spent:.1f}", f"{count / spent:.1f}", f"{seconds[1] / spent:.2f}"]
        for workers, spent in seconds.items()
    ]
    title = f"{_NODE}, InceptionV3 on {count:,} pictures of {_SIDE} x {_SIDE} pixels"
    show_table(title, ["workers", "seconds", "pictures per second", "times one worker"], rows)
    faster = seconds[1] / seconds[2]
    show_bound(
        f"two workers: {faster:.2f} times as fast as one; {_FASTER} is promised", faster >= _FASTER
    )


def _measured(pictures: Path, root: Path, weights: str, cluster: Cluster, workers: int) -> float:
    """Returns the seconds of the node; those before it ran on this process's own threads."""
    _run(pictures, root, weights, to="Transform")
    beam = [*cluster.arguments(), f"--parallelism={workers}"]  # the last one counts
    found = _run(pictures, root, weights, f"runtime.beam={json.dumps(beam)}", to=_NODE)
    node = found["components"][_NODE]
    assert node["state"] == "ran", node
    return float(node["seconds"])


def _run(pictures: Path, root: Path, *assignments: str, to: str) -> dict[str, Any]:
    words = ["run", str(pictures), "--root", str(root), "--to", to]
    return answer(*words, assignments=[*_ASSIGNMENTS, *assignments])


if __name__ == "__main__":
    with recorded("workers"):
        main(*map(int, sys.argv[1:2]))
