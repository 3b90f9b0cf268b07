"""Measures the environment that runs this, as one JSON line; `benchmarks/lines.py` compares two.

Run by `make line-figures`, on this machine or inside the Debian of `tools/other_line.py`.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import noise_pictures
from benchmarks.measured_run import SMALL_NETWORK, measured_run

MARK = "line-figures: "
_IMPORTS = "from pipeline import local_runner"


def main() -> None:
    """Measures imports, a small run as new and again, the demo and the local server."""
    found = {"imports, s": _imports()}
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        pictures, root = Path(scratch, "pictures"), Path(scratch, "runs")
        noise_pictures.make(pictures, 60, 32)
        assignments = [*SMALL_NETWORK, "training.frozen.epochs=1", "training.unfrozen.epochs=1"]
        found["60 pictures of 32 pixels, s"] = measured_run(pictures, root, assignments).seconds
        found["the same again, s"] = measured_run(pictures, root, assignments).seconds
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
    return min(_cpu([sys.executable, "-c", _IMPORTS]) for _ in range(3))


def _cpu(command: list[str]) -> float:
    before = os.times()
    subprocess.run(command, check=True, capture_output=True)
    after = os.times()
    return after.children_user + after.children_system - before[2] - before[3]


def _demo(scratch: Path) -> tuple[float, float]:
    """Returns the seconds of the demo's run, and the accuracy that it reaches."""
    from pipeline.commands.demo_data import solar_cells

    solar_cells(scratch / "pictures", 2000, seed=0)
    command = [sys.executable, "-c", "from pipeline.cli import main; main()", "run", "--json"]
    command += ["--preset", "solar-cells", "--data", str(scratch / "pictures")]
    began = time.monotonic()
    done = subprocess.run(
        [*command, "--root", str(scratch / "runs")], capture_output=True, text=True, check=True
    )
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
