"""The arguments of Beam's runners: passed through as they are, but for what would harm.

No runner downloads anything by itself. Beam's DirectRunner would fetch Prism, a program of Beam's,
first (apache_beam/runners/direct/direct_runner.py), and FlinkRunner and SparkRunner the jar of
their job server (apache_beam/runners/portability/).
"""

from __future__ import annotations

import argparse
import os
import sys

from components.errors import ConfigError

_DIRECT = ("directrunner", "switchingdirectrunner")
_LOCAL = ("fnapirunner", "bundlebaseddirectrunner")
_NEEDED = {
    "prismrunner": ("prism_location",),
    "flinkrunner": ("flink_job_server_jar", "job_endpoint"),
    "sparkrunner": ("spark_job_server_jar", "job_endpoint"),
}
"""By runner: without one of these it would download a program."""

_UNFIT = {
    "daskrunner": "it collects a step's results before finish_bundle, where the ingest returns "
    "its ledgers, and so loses every picture without a word",
}
"""By runner: why no pipeline of this project runs on it."""


def pipeline_arguments(given: list[str]) -> list[str]:
    """Returns the arguments of Beam's pipelines for the configuration's `runtime.beam`.

    The DirectRunner, also where no runner is named, becomes the one that it would end at without a
    network. On this machine TFX is kept from packing its own sources for every Beam component: a
    package takes seconds each time and is never removed. TFX packs nothing where workers have an
    image, an option that Beam's local runners ignore.

    Raises:
      ConfigError: the runner would download a program, or is known to lose data.
    """
    runner = _runner(given)
    if runner in _UNFIT:
        raise ConfigError(
            f"runtime.beam: {runner} does not fit: {_UNFIT[runner]}. Use FnApiRunner here, or a "
            "cluster's FlinkRunner, SparkRunner, PortableRunner or DataflowRunner."
        )
    needed = _NEEDED.get(runner, ())
    known = vars(_parsed(given))
    if needed and not any(known[name] for name in needed):
        words = " or ".join(f"--{name}=..." for name in needed)
        raise ConfigError(
            f"runtime.beam: {runner} would download a program. Get it yourself and add {words}."
        )
    arguments = [*given, "--runner=FnApiRunner"] if runner in _DIRECT else list(given)
    if is_local(given):
        arguments.append("--sdk_container_image=none")
    return arguments


def is_local(given: list[str]) -> bool:
    """Checks whether Beam's pipelines run on the machine that starts them."""
    return _runner(given) in (*_DIRECT, *_LOCAL)


def threads(given: list[str]) -> int:
    """Returns how many threads each worker may use: all cores where it is the only one on them."""
    alone = is_local(given) and _parsed(given).direct_num_workers in (None, "1")
    return (os.cpu_count() or 1) if alone else 1


def has_external_workers(given: list[str]) -> bool:
    """Checks whether an engine with workers of its own, for which it waits, runs the pipelines."""
    return _runner(given) in ("flinkrunner", "sparkrunner", "portablerunner")


def check_processes(given: list[str]) -> None:
    """Makes sure that Beam can start processes on this machine, where it is asked to.

    Raises:
      ConfigError: they would never start, and the run would wait for them.
    """
    several = _parsed(given).direct_running_mode == "multi_processing"
    if several and is_local(given) and " " in sys.executable:
        raise ConfigError(
            f"runtime.beam: Beam can't start processes of {sys.executable}: its path has a space. "
            "Move the environment to a path without one, or use "
            "--direct_running_mode=multi_threading."
        )


def _runner(given: list[str]) -> str:
    """The runner's class in lower case; Beam takes `flink` for `FlinkRunner`."""
    named = (_parsed(given).runner or "DirectRunner").rpartition(".")[2].lower()
    return named if named.endswith("runner") else f"{named}runner"


def _parsed(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in {"runner", "direct_running_mode", "direct_num_workers"}.union(*_NEEDED.values()):
        parser.add_argument(f"--{name}")
    return parser.parse_known_args(given)[0]
