"""Makes sure that Beam's workers answer, and fit, before a node's work is given to them.

No engine does: Flink and Spark wait for a worker, or for a free slot, as long as it takes. So a
pipeline of one element runs first, once per process. What that worker finds wrong is an error that
says so, not a failure in the middle of a step.
"""

from __future__ import annotations

import functools
import os
import re
import sys
from typing import Any

import apache_beam as beam
import grpc
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions, PortableOptions
from apache_beam.runners.runner import PipelineState

from components.errors import ConfigError, UserError
from components.files.paths import is_remote, scheme
from components.files.systems import system_of
from components.step.versions import version_of

_SAME = ("apache-beam", "tensorflow", "transfer-pipeline")
"""The distributions of which workers must have the version that is here."""


class WorkersUnavailable(UserError):
    """No worker of Beam's answered in time, or the one that did can't do the work."""


class WorkerUnfit(Exception):
    """Raised on a worker: what it lacks."""


class WorkerOptions(PipelineOptions):
    """This project's own among the arguments of Beam's pipelines."""

    @classmethod
    def _add_argparse_args(cls, parser: Any) -> None:
        parser.add_argument(
            "--first_worker_minutes",
            type=float,
            default=10.0,
            help="How long a node waits for the first worker before it fails.",
        )


def expect(arguments: list[str], root: str) -> None:
    """Returns once a worker has answered; the process's further calls return at once.

    Args:
      arguments: of Beam's pipelines, with a runner whose workers are other machines' processes.
      root: of the pipeline; the worker looks whether it sees it, too.

    Raises:
      WorkersUnavailable: none answered within `--first_worker_minutes`, or it does not fit.
    """
    _expect(tuple(arguments), root)


@functools.lru_cache
def _expect(arguments: tuple[str, ...], root: str) -> None:
    options = PipelineOptions(list(arguments))
    minutes = options.view_as(WorkerOptions).first_worker_minutes
    pipeline = beam.Pipeline(options=options)
    _ = pipeline | beam.Create([(root, _python(), _versions())]) | beam.MapTuple(_look)
    try:
        result = pipeline.run()
        state = result.wait_until_finish(duration=minutes * 60_000)
    except grpc.FutureTimeoutError as error:
        endpoint = options.view_as(PortableOptions).job_endpoint
        raise WorkersUnavailable(
            f"runtime.beam: no job server answers at {endpoint or 'the port of the one started'}. "
            "Look at its log, and at --job_endpoint."
        ) from error
    except RuntimeError as error:
        raise WorkersUnavailable(_failed(str(error))) from error
    if state != PipelineState.DONE:
        result.cancel()
        raise WorkersUnavailable(
            f"runtime.beam: no worker answered within {minutes:g} minutes. {_look_at(options)} "
            "Where machines start slowly, add --first_worker_minutes with more of them."
        )


def _failed(text: str) -> str:
    told = re.search(rf"{WorkerUnfit.__name__}: (.*?)(?: \[while running|\n|\\n|$)", text)
    if told:
        return f"runtime.beam: the worker that answered does not fit: {told[1]}"
    lines = [line for line in text.splitlines() if line.strip()] or [""]
    last = " ... ".join(dict.fromkeys(line.strip()[:300] for line in (lines[0], lines[-1])))
    return (
        f"runtime.beam: no worker answered, and the job of one element failed: {last} Look whether "
        "the workers' pool is up (--environment_config), and at its log."
    )


def _look_at(options: PipelineOptions) -> str:
    """Returns where the cause is to be found, with the addresses that the arguments name."""
    known = options.get_all_options(drop_default=True)
    engine = next(
        (
            f" (--{name}={known[name]})"
            for name in ("flink_master", "spark_master_url", "job_endpoint")
            if name in known
        ),
        "",
    )
    pool = known.get("environment_config")
    return (
        f"Look at the engine's own page and log{engine}: is a slot free, and on which machine? "
        "There, at the workers' log"
        + (f": does their pool listen ({pool})?" if pool else ": do they start?")
    )


def _python() -> str:
    return ".".join(map(str, sys.version_info[:2]))


def _versions() -> dict[str, str]:
    return {name: version_of(name) or "none" for name in _SAME}


def _look(root: str, python: str, versions: dict[str, str]) -> None:
    """Runs on a worker: holds it against the machine that starts the pipeline.

    Raises:
      WorkerUnfit: it sees another root, or has other versions.
    """
    own = {"Python": _python(), **_versions()}
    for name, needed in {"Python": python, **versions}.items():
        if own[name] != needed:
            raise WorkerUnfit(
                f"it has {name} {own[name]}, the machine that starts the pipeline {needed}. Give "
                "the workers the same image or environment."
            )
    if is_remote(root):
        _reach(root)
    elif not os.path.isdir(root):
        raise WorkerUnfit(
            f"it does not see the folder {root} (runtime.root). Mount it there under this path, "
            "or use an object store."
        )


def _reach(root: str) -> None:
    try:
        system_of(root)
    except ConfigError as error:
        raise WorkerUnfit(
            f"it has no file system for {scheme(root)}:// (runtime.root is {root}). Install the "
            "extra of this project or of apache-beam for it there."
        ) from error
    try:
        FileSystems.exists(root)
    except Exception as error:  # each file system raises its own library's errors
        told = " ".join(str(error).split())
        raise WorkerUnfit(
            f"Beam's own file system can't reach {root} (runtime.root) there: {told}. Install "
            "apache-beam's extra for it there, hand the worker its credentials, and start it by "
            "Beam's entry point, which a pool calls as its --container_executable."
        ) from error
