"""The command `run`: from the command's arguments to one pipeline run and its result."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from components.errors import ConfigError, UserError
from components.files import refusals
from pipeline import config as configuration
from pipeline.commands.run_config import read_by_programs, run_config
from pipeline.config import Config
from pipeline.launch import environment

EXIT_DONE, EXIT_FAILED = 0, 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """The options of `run`."""

    config_file: Path | None = None
    preset: str | None = None
    data: str | list[str] | None = None
    root: str | None = None
    assignments: list[str] = dataclasses.field(default_factory=list)
    from_node: str | None = None
    to_node: str | None = None
    as_json: bool = False
    bless: str | None = None
    dry: bool = False


def run(request: Request) -> int:
    """Runs the pipeline, shows its result to people or programs, and returns the exit code."""
    try:
        if request.dry:
            _look_ahead(request)
            return EXIT_DONE
        with refusals.told():
            result = execute(request)
    except UserError as error:
        if request.as_json:
            print(json.dumps(read_by_programs(error=str(error))), flush=True)
        raise
    if request.as_json:
        print(json.dumps(result), flush=True)
    return EXIT_DONE if result["verdict"] in ("pushed", "unchanged", None) else EXIT_FAILED


def _look_ahead(request: Request) -> None:
    from pipeline.commands.dry_run import dry_run

    dry_run(
        build_config(request),
        from_node=request.from_node,
        to_node=request.to_node,
        may_substitute=not request.config_file,
        as_json=request.as_json,
    )


def execute(request: Request) -> dict[str, Any]:
    """Runs the pipeline, shows progress, and returns what `--json` prints.

    Raises:
      UserError: it can't start; a node's failure is in the result instead.
    """
    return run_config(
        build_config(request),
        from_node=request.from_node,
        to_node=request.to_node,
        may_substitute=not request.config_file,
        to_stderr=request.as_json,
        at_full_disk=environment.end_at_once,
    )


def build_config(request: Request) -> Config:
    """Returns the configuration that the arguments ask for.

    Raises:
      ConfigError: an argument or a key is wrong.
    """
    if request.config_file and request.preset:
        raise ConfigError("--config and --preset exclude each other: name one of them.")
    tree: dict[str, Any] = {}
    if request.config_file:
        tree = configuration.read_file(request.config_file)
    elif request.preset:
        tree = configuration.read_preset(request.preset)
    elif not request.data:
        raise ConfigError("Nothing to run: name --config FILE, --preset NAME or --data DIR.")
    if request.data:
        configuration.set_key(tree, "data.source", request.data)
    if request.root:
        configuration.set_key(tree, "runtime.root", request.root)
    for assignment in request.assignments:
        configuration.override(tree, assignment)
    if request.bless is not None:
        configuration.set_key(tree, "gate.bless", request.bless)
    if not request.config_file:
        configuration.default_push_directory(tree)
    return configuration.build(tree)
