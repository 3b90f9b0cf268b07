"""OpenVINO in an environment of its own, which is made once in the project's cache folder."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.figures import say
from components.files.cache_folder import cache_dir

VERSION = "2026.4.1"
_SIDE = Path(__file__).with_name("openvino_side.py")

Rate = Callable[[int, int, int, float], float]
"""Batch, height, width, seconds to measure -> pictures per second."""


def environment() -> Path | None:
    """Returns the interpreter of an environment with OpenVINO; None where it can't be had."""
    folder = cache_dir() / "benchmarks" / f"openvino-{VERSION}"
    python = folder / "bin" / "python"
    if not (folder / "complete").is_file():
        commands = [
            [sys.executable, "-m", "venv", "--clear", str(folder)],
            [str(python), "-m", "pip", "install", "--quiet", f"openvino=={VERSION}"],
        ]
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                last = (done.stderr.strip() or "no reason given").splitlines()[-1]
                say(f"OpenVINO is missing, its side is left out: {last}")
                return None
        (folder / "complete").touch()
    return python


@contextlib.contextmanager
def measuring(python: Path, graph: Path, precision: str) -> Iterator[Rate]:
    """Yields what measures a frozen graph in OpenVINO, by as many threads as there are cores.

    Args:
      python: of the environment that has it.
      graph: the frozen GraphDef's file; its input are pixels [batch, height, width, 3] float32.
      precision: `f32` or `bf16`, in which it computes.
    """
    command = [str(python), str(_SIDE), str(graph), precision, str(os.cpu_count())]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        asked, answers = process.stdin, process.stdout
        assert asked is not None and answers is not None

        def rate(batch: int, height: int, width: int, seconds: float) -> float:
            print(batch, height, width, seconds, file=asked, flush=True)
            return float(answers.readline())

        yield rate
        asked.close()
