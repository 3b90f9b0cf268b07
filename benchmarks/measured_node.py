"""One node in a process of its own, as a scheduler starts it: what its time went into.

`python -m benchmarks.measured_node COMPILED NODE RUN_ID RESULT` is that process.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

IMPORTS, OWN_IMPORTS, WORK = "imports", "own imports", "work"


@dataclasses.dataclass(frozen=True)
class MeasuredNode:
    """Seconds of one node."""

    state: str  # ran | cached
    imports: float  # what every node imports: TensorFlow, Beam, TFX's launcher
    own_imports: float  # the modules of its executor and driver
    work: float  # executor and driver, with what these import only when they need it
    whole: float  # from the start of the process to its end

    @property
    def overhead(self) -> float:
        """Seconds of the launcher: metadata, cache, publishing, the process itself."""
        return self.whole - self.imports - self.own_imports - self.work


def measured_node(compiled: Path, node: str, run_id: str) -> MeasuredNode:
    """Runs a node in a new process.

    Raises:
      subprocess.CalledProcessError: it failed and said why on standard error.
    """
    result = compiled.with_name("result.json")
    arguments = [str(compiled), node, run_id, str(result)]
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", __name__, *arguments], check=True, stderr=subprocess.DEVNULL
    )
    whole = time.monotonic() - began
    found = json.loads(result.read_text())
    imports, own, work = (found["seconds"].get(name, 0.0) for name in (IMPORTS, OWN_IMPORTS, WORK))
    return MeasuredNode(found["state"], imports, own, work, whole)


class _Clock:
    """Adds up the seconds of parts that lie one behind another; what is inside one is its own."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._inside = False

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Counts what is done meanwhile to this part."""
        if self._inside:
            yield
            return
        self._inside, began = True, time.monotonic()
        try:
            yield
        finally:
            self._inside = False
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - began

    def watch(self, owner: Any, name: str, part: str) -> None:
        """Counts the calls of `owner.name` to this part."""
        function: Callable[..., Any] = getattr(owner, name)

        def watched(*arguments: Any, **named: Any) -> Any:
            with self.part(part):
                return function(*arguments, **named)

        setattr(owner, name, watched)


def _run(compiled: str, node: str, run_id: str) -> dict[str, Any]:
    clock = _Clock()
    with clock.part(IMPORTS):
        from pipeline.launch import environment

        environment.prepare()
        with environment.heavy_imports():
            from pipeline import node_runner
    from tfx.orchestration.portable import beam_executor_operator as beam
    from tfx.orchestration.portable import python_driver_operator as driver
    from tfx.orchestration.portable import python_executor_operator as python
    from tfx.utils import import_utils

    clock.watch(import_utils, "import_class_by_path", OWN_IMPORTS)
    clock.watch(driver.PythonDriverOperator, "run_driver", WORK)
    clock.watch(python.PythonExecutorOperator, "run_executor", WORK)
    clock.watch(beam.BeamExecutorOperator, "run_executor", WORK)
    bound = node_runner.bind(node_runner.read_compiled(compiled), run_id)
    return {"state": node_runner.run_node(bound, node), "seconds": clock.seconds}


if __name__ == "__main__":
    *_words, _result = sys.argv[1:]
    Path(_result).write_text(json.dumps(_run(*_words)))
    gc.freeze()  # as the command does
