"""One pipeline run in a process of its own: the time and memory that each component took.

`python -m benchmarks.measured_run REQUEST RESULT` is that process. Needs Linux, whose kernel keeps
the peak. What InfraValidator's server holds, a process of its own, is not in it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-c", "from pipeline.cli import main; main()"]
"""The command `transfer-pipeline`, in the environment that measures."""

OPEN_GATE = ["gate.min_accuracy=0", "gate.min_class_recall=0", "gate.beats_majority_class=false"]
"""Assignments with which any accuracy passes."""

SMALL_NETWORK = ["model.backbone=mobilenet", "model.weights=null", "image.size=[32, 32]"]


def run_and_cpu(command: list[str]) -> tuple[subprocess.CompletedProcess[str], float]:
    """Runs a command; returns it with the seconds of CPU of it and of what it started."""
    before = children_cpu()
    done = subprocess.run(command, capture_output=True, text=True)
    return done, children_cpu() - before


def children_cpu() -> float:
    """Returns the seconds of CPU of all processes below this one that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def answer(*words: str, assignments: Iterable[str]) -> dict[str, Any]:
    """Runs the command, whose progress is shown; returns what it prints for programs.

    Args:
      words: the command and its options.
      assignments: each goes behind a `--set`.

    Raises:
      SystemExit: what it says where it fails.
    """
    done = subprocess.run(
        [*COMMAND, *words, *set_words(assignments), "--json"], stdout=subprocess.PIPE, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if error := found["error"]:
        raise SystemExit(error)
    return found


def set_words(assignments: Iterable[str]) -> list[str]:
    """Returns the words of a command that make these assignments."""
    return [word for each in assignments for word in ("--set", each)]


@dataclasses.dataclass(frozen=True)
class Stage:
    """A component, or what comes before the first one."""

    state: str  # ran | cached | failed
    seconds: float
    peak: int  # bytes resident at the most, everything that the process holds counted
    cpu: float = 0.0  # seconds of this process and of those that it started and saw end


@dataclasses.dataclass(frozen=True)
class MeasuredRun:
    """Time and memory of a run."""

    stages: dict[str, Stage]
    seconds: float  # from the start of the process to its end

    @property
    def peak(self) -> int:
        """The most bytes that the process held."""
        return max(stage.peak for stage in self.stages.values())


def measured_run(data: Path, root: Path, assignments: list[str]) -> MeasuredRun:
    """Runs the pipeline in a new process.

    Raises:
      subprocess.CalledProcessError: the run failed and said why on standard error.
    """
    root.mkdir(parents=True, exist_ok=True)
    request, result = root / "request.json", root / "result.json"
    arguments = {"data": str(data), "root": str(root), "assignments": assignments}
    request.write_text(json.dumps(arguments))
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", __name__, str(request), str(result)], check=True)
    seconds = time.monotonic() - began
    stages = {name: Stage(**stage) for name, stage in json.loads(result.read_text()).items()}
    request.unlink()
    result.unlink()
    return MeasuredRun(stages, seconds)


class _Watch:
    """Measures time and memory of each stage; `pipeline.local_runner` announces the components."""

    def __init__(self) -> None:
        self.stages: dict[str, Stage] = {}
        self._begin()

    def _begin(self) -> None:
        begin_peak()
        self._began, self._cpu = time.monotonic(), _cpu()

    def end(self, name: str, state: str = "ran") -> None:
        """A stage is over and the next one begins."""
        seconds, cpu = time.monotonic() - self._began, _cpu() - self._cpu
        self.stages[name] = Stage(state, seconds, peak(), cpu)
        self._begin()

    def node_started(self, node_id: str, position: int, total: int) -> None:
        self._begin()

    def node_ended(self, node_id: str, state: str, seconds: float) -> None:
        self.end(node_id, state)


def _cpu() -> float:
    return sum(os.times()[:4])


def begin_peak() -> None:
    """Begins to count the most bytes that this process holds; needs Linux."""
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> int:
    """Returns the bytes that this process held at the most since the count began."""
    status = Path("/proc/self/status").read_text()
    return next(
        int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")
    )


def _run(arguments: dict[str, Any]) -> dict[str, Stage]:
    watch = _Watch()
    from pipeline.commands import preflight_network
    from pipeline.commands import run as run_command
    from pipeline.commands.console import quiet
    from pipeline.launch import environment
    from pipeline.store import root

    environment.prepare()
    config = run_command.build_config(run_command.Request(**arguments))
    run_id = root.new_run_id()
    with quiet(root.log_path(config.root, run_id), to_stderr=True):
        watch.end("the command's own code")
        with environment.heavy_imports():
            from pipeline import local_runner

        watch.end("import of TensorFlow and TFX")
        preflight_network.check_network(config)
        watch.end("check of the network")
        local_runner.run(config, watch, run_id)
    return watch.stages


if __name__ == "__main__":
    _request, _result = map(Path, sys.argv[1:])
    _stages = _run(json.loads(_request.read_text()))
    _result.write_text(json.dumps({name: vars(stage) for name, stage in _stages.items()}))
