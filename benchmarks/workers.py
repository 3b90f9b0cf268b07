"""BottleneckGen on one and on two workers of a pool of Beam's, each a process with one thread.

`python -m benchmarks.workers 2560` measures at this number of pictures. The node's seconds are what
a run shows: the workers' start and imports are in them, and weigh less the more pictures there are.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import noise_pictures
from benchmarks.figures import recorded, show_bound, show_table
from benchmarks.measured_run import answer
from components.artifacts.types import OWN_BASE

PICTURES = 2_560  # ten portions: as many for each of two workers
_SIDE = 150  # pixels
_FASTER = 1.6  # promised of two workers
_NODE = "BottleneckGen"
_POOL = "apache_beam.runners.worker.worker_pool_main"
_SECONDS = 120  # until the pool has to listen
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
        with _pool(Path(scratch, "pool")) as port:
            seconds = {
                workers: _measured(pictures, Path(scratch, f"{workers}"), weights, port, workers)
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


def _measured(pictures: Path, root: Path, weights: str, port: int, workers: int) -> float:
    """Returns the seconds of the node; those before it ran on this process's own threads."""
    _run(pictures, root, weights, to="Transform")
    beam = [
        *("--runner=PortableRunner", "--job_endpoint=embed", f"--direct_num_workers={workers}"),
        *("--environment_type=EXTERNAL", f"--environment_config=localhost:{port}"),
        "--sdk_container_image=none",
    ]
    found = _run(pictures, root, weights, f"runtime.beam={json.dumps(beam)}", to=_NODE)
    node = found["components"][_NODE]
    assert node["state"] == "ran", node
    return float(node["seconds"])


def _run(pictures: Path, root: Path, *assignments: str, to: str) -> dict[str, Any]:
    words = ["run", str(pictures), "--root", str(root), "--to", to]
    return answer(*words, assignments=[*_ASSIGNMENTS, *assignments])


@contextlib.contextmanager
def _pool(folder: Path) -> Iterator[int]:
    """Yields the port of a pool, whose workers are processes of one thread each."""
    folder.mkdir()
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = int(free.getsockname()[1])
    # It starts its workers by the name `python`.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with (folder / "pool.log").open("wb") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", _POOL, f"--service_port={port}"],
            env={**os.environ, **_ONE_THREAD, "PATH": path},
            stdout=log,
            stderr=log,
            start_new_session=True,  # its workers are ended with it
        )
    try:
        end = time.monotonic() + _SECONDS
        while not _listens(port):
            if time.monotonic() > end:
                raise RuntimeError((folder / "pool.log").read_text())
            time.sleep(0.2)
        yield port
    finally:
        os.killpg(started.pid, 9)
        started.wait()


def _listens(port: int) -> bool:
    with socket.socket() as there:
        return there.connect_ex(("localhost", port)) == 0


if __name__ == "__main__":
    with recorded("workers"):
        main(*map(int, sys.argv[1:2]))
