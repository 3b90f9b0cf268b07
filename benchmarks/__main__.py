"""`python -m benchmarks [NAME ...]` runs those benchmarks, or all but the long ones.

Each leaves its record in `benchmarks/records`; `python -m benchmarks --tables` writes the tables of
`benchmarks/README.md` and `docs/scale.md` anew from the records.
"""

from __future__ import annotations

import importlib
import subprocess
import sys

from benchmarks.figures import recorded, say
from benchmarks.record import README, SCALE, with_tables
from pipeline.launch import environment

BENCHMARKS = {
    "ingest": "pictures per second of the ingest against a plain loop",
    "fixed_cost": "what a run costs before it has anything to do",
    "node_overhead": "what a node costs beside its work, in a process of its own",
    "frozen_features": "phase frozen on cached features against plain Keras end to end",
    "whole_run": "memory, CPU and time of a whole run against a plain Keras script",
    "unfrozen": "phase unfrozen against plain Keras, with and without caching, and its input",
    "precision": "half precision and folded BatchNormalization against Keras in float32",
    "seeds": "accuracy in half precision against float32, beside what seeds do",
    "export": "the exported model's forms as served, and the forward pass beside OpenVINO's",
    "memory": "peak memory at two numbers of pictures",
    "scale": "CPU and memory of every node as the pictures get more",
    "workers": "BottleneckGen on two workers of a pool against one",
    "serving": "throughput and latency of the local server against the bare function",
    "disk": "bytes written per picture",
    "lines": "both lines of TFX: imports, runs, the demo, serving",
    "heads": "phase frozen with its defaults against a logistic regression on its features",
    "presets": "what each preset reaches on solar cells",
    "elpv": "accuracy on all solar cells beside what was published",
}
LONG = ("seeds", "whole_run", "scale", "workers", "lines", "heads", "presets", "elpv")
"""Ten minutes to hours; run only where they are named."""


def main(names: list[str]) -> int:
    """Runs the benchmarks with these names, else all but the long ones; returns the exit code."""
    if names == ["--tables"]:
        for page in (README, SCALE):
            page.write_text(with_tables(page.read_text("utf-8")), "utf-8")
        return 0
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        say(f"No benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}.")
        return 2
    environment.prepare()
    if len(names) == 1:
        with recorded(names[0]):
            importlib.import_module(f"benchmarks.{names[0]}").main()
        return 0
    # Each in a process of its own, so that none meets what another left in memory.
    codes = []
    for name in names or [name for name in BENCHMARKS if name not in LONG]:
        say(f"{name}: {BENCHMARKS[name]}")
        codes.append(subprocess.run([sys.executable, "-m", "benchmarks", name]).returncode)
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
