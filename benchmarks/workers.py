"""BottleneckGen's Beam step by one worker and by two, of one thread each.

The workers are Beam's external ones, as beside the task managers of a cluster: each is a process
that imports TensorFlow, fetches the network and then runs it, which all counts. The engine is
Beam's own job service in this process.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import show_bound, show_table
from benchmarks.ingested import Inputs, ingested
from serving.quiet_imports import quiet_import

with quiet_import():
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

from components.artifacts import features, tfrecords
from components.bottleneck_gen.frozen_base import GRAPH, RunBase
from components.bottleneck_gen.portions import Portion, portions
from components.files import parcel
from components.model.chosen_weights import weights_file

_PICTURES = 1_960  # a little over what six portions of the training split need
_PORTIONS = 6  # of 256 pictures: three for each of two workers
_ASSIGNMENTS = [
    "image.size=[299, 299]",  # the backbone's own size, and the default
    "data.splits={train: 8, eval: 1, test: 1}",
]
_TIMES_FASTER = 1.6


def main() -> None:
    """Measures both on solar cells, one after the other."""
    seconds: dict[int, float] = {}
    with ingested(_PICTURES, _ASSIGNMENTS) as inputs, tempfile.TemporaryDirectory() as scratch:
        for workers in (1, 2):
            folder = Path(scratch, str(workers))
            folder.mkdir()
            with _pool() as address:
                began = time.monotonic()
                pictures = _run(inputs, folder, address, workers)
                seconds[workers] = time.monotonic() - began
    times = seconds[1] / seconds[2]
    rows = [
        [name, f"{seconds[workers]:.1f}", f"{pictures / seconds[workers]:.1f}"]
        for workers, name in {1: "one worker", 2: "two workers"}.items()
    ]
    title = f"{pictures} solar cells, inception_v3 at 299 x 299 pixels, workers' starts included"
    show_table(title, ["", "seconds", "pictures per second"], rows)
    show_bound(
        f"two workers are {times:.2f} times as fast as one; {_TIMES_FASTER} are promised",
        times >= _TIMES_FASTER,
    )


def _run(inputs: Inputs, folder: Path, address: str, workers: int) -> int:
    """Writes the features of the training split's first portions; returns the number of them."""
    model, size = inputs.config.model, inputs.config.image_size
    weights = weights_file(model)
    assert weights is not None
    split = os.path.join(inputs.examples, f"Split-{features.TRAIN}")
    parts: list[Portion] = portions(split, str(folder / "bottlenecks"))[:_PORTIONS]
    packed = parcel.pack({GRAPH: inputs.transform_graph, weights.name: str(weights)}, str(folder))
    run_base = RunBase(inputs.transform_graph, model, size, str(weights), in_parcel=packed)
    options = PipelineOptions(
        [
            "--runner=PortableRunner",
            "--job_endpoint=embed",
            "--environment_type=EXTERNAL",
            f"--environment_config={address}",
            "--direct_running_mode=multi_processing",
            f"--direct_num_workers={workers}",
        ]
    )
    with beam.Pipeline(options=options) as pipeline:
        _ = (
            pipeline
            | "Portions" >> beam.Create(parts)
            | "Spread" >> beam.Reshuffle()
            | "Run base" >> beam.ParDo(run_base)
        )
    return sum(len(tfrecords.positions(str(path))) for path in folder.glob("bottlenecks-*"))


@contextlib.contextmanager
def _pool() -> Iterator[str]:
    """Yields the address of a pool that starts a process of one thread for each worker."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    threads = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1"}
    module = "apache_beam.runners.worker.worker_pool_main"
    pool = subprocess.Popen(
        [sys.executable, "-m", module, f"--service_port={port}"],
        env=os.environ | threads | {"PATH": path, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while pool.poll() is None:
            with socket.socket() as there:
                if there.connect_ex(("localhost", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"localhost:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pool.pid, 9)
        pool.wait()
