"""Measures the environment that runs this, as one JSON line; `benchmarks/lines.py` compares two.

Run by `make line-figures`, on this machine or inside the Debian of `tools/other_line.py`.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import fixed_cost, noise_pictures
from benchmarks.measured_run import COMMAND, measured_run, run_and_cpu

MARK = "line-figures: "
_IMPORTS = "from pipeline import local_runner"


def main() -> None:
    """Measures imports, a small run as new and again, the demo and the local server."""
    found = {"imports, s": _imports()}
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        pictures, root = Path(scratch, "pictures"), Path(scratch, "runs")
        noise_pictures.make(pictures, fixed_cost.PICTURES, fixed_cost.SIDE)
        for name in ("60 pictures of 32 pixels, s", "the same again, s"):
            found[name] = measured_run(pictures, root, fixed_cost.ASSIGNMENTS).seconds
        demo, accuracy = _demo(Path(scratch, "demo"))
    found["the demo's run, s"] = demo
    found["its test accuracy"] = accuracy
    found["served, pictures/s"] = _served()
    line = {
        "tfx": importlib.metadata.version("tfx"),
        "python": platform.python_version(),
        "figures": found,
    }
    print(MARK + json.dumps(line), flush=True)


def _imports() -> float:
    """Returns the seconds of CPU that importing what a run needs takes, the least of three."""
    found = [run_and_cpu([sys.executable, "-c", _IMPORTS]) for _ in range(3)]
    for done, _ in found:
        done.check_returncode()
    return min(seconds for _, seconds in found)


def _demo(scratch: Path) -> tuple[float, float]:
    """Returns the seconds of the demo's run, and the accuracy that it reaches."""
    from pipeline.commands.demo import SMALL
    from pipeline.commands.demo_data import solar_cells

    solar_cells(scratch / "pictures", 2000, seed=0)
    where = ["--data", str(scratch / "pictures"), "--root", str(scratch / "runs")]
    keys = [word for each in SMALL for word in ("--set", each)]
    command = [*COMMAND, "run", "--json", "--preset", "solar-cells", *where, *keys]
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds = time.monotonic() - began
    return seconds, json.loads(done.stdout.splitlines()[-1])["metrics"]["accuracy"]


def _served() -> float:
    """Returns the rate of the local server with 16 clients, MobileNet at 224 pixels."""
    from benchmarks import serving as serving_benchmark

    return serving_benchmark.served_rate("mobilenet", 224)


if __name__ == "__main__":
    from pipeline.launch import environment

    environment.prepare()
    main()
