"""OpenVINO's side of the benchmark `export`, run by the Python of an environment of its own.

`python openvino_side.py GRAPH PRECISION THREADS` reads lines `BATCH HEIGHT WIDTH SECONDS` and
answers each with the pictures per second of that batch.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import openvino


def main() -> None:
    """Loads a frozen graph of TensorFlow, whose only input are pixels, and measures as asked."""
    graph, precision, threads = sys.argv[1:]
    config = {
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": int(threads),
        "PERFORMANCE_HINT": "LATENCY",
    }
    core, model = openvino.Core(), openvino.convert_model(graph)
    ready: dict[tuple[int, ...], openvino.CompiledModel] = {}
    for line in sys.stdin:
        *shape, seconds = line.split()
        size = tuple(map(int, shape))
        if size not in ready:
            model.reshape([*size, 3])
            ready[size] = core.compile_model(model, "CPU", config)
        print(_rate(ready[size], size, float(seconds)), flush=True)


def _rate(model: openvino.CompiledModel, size: tuple[int, ...], seconds: float) -> float:
    pixels = np.random.default_rng(0).uniform(-1, 1, [*size, 3]).astype(np.float32)
    request = model.create_infer_request()
    request.infer([pixels])  # the first one prepares the kernels
    start, done = time.perf_counter(), 0
    while (passed := time.perf_counter() - start) < seconds:
        request.infer([pixels])
        done += size[0]
    return done / passed


if __name__ == "__main__":
    main()
