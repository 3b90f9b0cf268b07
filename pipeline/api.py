"""The functions of `from pipeline import ...`; docs/python.md shows them.

Each function does what the command of its name does. Heavy imports wait until one needs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.errors import ConfigError
from components.files.cache_folder import local_root
from pipeline import config as configuration
from pipeline.config import Config
from pipeline.launch import environment

if TYPE_CHECKING:
    from tfx.orchestration.pipeline import Pipeline


def load(
    file: str | Path | None = None,
    *,
    preset: str | None = None,
    keys: Mapping[str, Any] | None = None,
) -> Config:
    """Loads and validates a configuration.

    Args:
      file: a configuration file.
      preset: in its place, the name of a configuration that comes with the project.
      keys: values by dotted key, as {"training.seed": 1}; they override the others. Without a file
        the push directory may be left out: it then lies in the root.

    Raises:
      ConfigError: a key is unknown, missing or wrong, or the file can't be read.
    """
    if file and preset:
        raise ConfigError("A file and a preset exclude each other: name one of them.")
    tree = configuration.read_file(Path(file)) if file else {}
    if preset:
        tree = configuration.read_preset(preset)
    for key, value in (keys or {}).items():
        configuration.set_key(tree, key, value)
    if not file:
        configuration.default_push_directory(tree)
    return configuration.build(tree)


def check(config: Config) -> dict[str, Any]:
    """Reads the pictures as a run would, without training.

    Returns:
      What `check --json` prints: `accepted`, `rejected`, `counts`, `notes` and others.

    Raises:
      UserError: there is nothing to read.
    """
    from pipeline.commands.check import read_by_programs, read_source

    report, _ = read_source(config.data, config)
    return read_by_programs(report)


def run(
    config: Config, *, from_node: str | None = None, to_node: str | None = None
) -> dict[str, Any]:
    """Trains, judges and pushes; shows progress on standard error.

    As the command does, it holds the root's lock, keeps a log and leaves a page of a failed run.

    Args:
      config: the whole configuration.
      from_node: starts here, with the latest run's results of the nodes before it.
      to_node: ends here.

    Returns:
      What `run --json` prints: `verdict`, `metrics`, `gate`, `pushed_version`, `report`, `error`
      and others. A node that fails makes the verdict `failed`, and raises nothing.

    Raises:
      UserError: the run can't start.
    """
    from pipeline.commands.run_config import run_config

    environment.prepare()
    return run_config(config, from_node=from_node, to_node=to_node)


def create_pipeline(config: Config) -> Pipeline:
    """Returns the TFX pipeline, for a runner of TFX's as `LocalDagRunner`.

    Raises:
      ConfigError: Beam's runner would download a program.
    """
    environment.prepare()
    with environment.heavy_imports():
        from pipeline import definition

    return definition.create_pipeline(config)


def runs(root: str | Path, metadata: str | None = None) -> list[dict[str, Any]]:
    """Returns the runs of a root, the newest first.

    Args:
      root: the folder of runs, `runtime.root`.
      metadata: `runtime.metadata`, where that is not left out.

    Returns:
      What `runs --json` prints: a row of `run_id`, `date`, `data`, `accuracy`, `verdict` and
      `pushed_version` per run.

    Raises:
      ConfigError: the folder is not a root of runs.
    """
    from pipeline.commands.runs import known_runs

    return known_runs(local_root(str(root)), metadata)
