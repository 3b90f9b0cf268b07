"""The command `tournament`: which backbone is worth a training on these pictures."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from components.backbones import BACKBONES
from components.errors import ConfigError, UserError
from components.hub_backbones import PREFIX
from pipeline import yaml_text
from pipeline.commands import preflight, tournament_output
from pipeline.commands.cached_features import readable_features
from pipeline.commands.console import RunView, quiet
from pipeline.commands.run import EXIT_DONE, EXIT_FAILED, Request, build_config, execute
from pipeline.commands.tournament_output import Row
from pipeline.config import Config
from serving.names import shown

if TYPE_CHECKING:
    from components.tuner.entrant import Entrant

_LAST_NODE = "BottleneckGen"
_ALIKE = (
    "model.features=null",  # layers by name are those of one backbone
    "training.frozen.features=cached",
    "training.frozen.augmentation={}",
    "training.unfrozen={epochs: 0}",
)


def tournament(request: Request, backbones: Sequence[str]) -> int:
    """Runs the pipeline up to each backbone's cached features, fits a head on them, and compares.

    All runs share one root: what does not depend on the backbone is computed once, and a tournament
    that is repeated computes nothing anew. Prints a row per backbone, and writes
    `tournament/RUN/accuracy.svg` and `rows.json` into the root.

    Args:
      request: the pictures, the root, and keys that all backbones share.
      backbones: their names; none: all.

    Returns:
      The exit code: 0, or 1 where no backbone could be measured.

    Raises:
      UserError: a name is unknown, the configuration is wrong, or the pictures can't be used.
    """
    names = _known(backbones)
    _check(request, names)
    rows = [_row(request, name) for name in names]
    measured = [row for row in rows if "accuracy" in row]
    rows = sorted(measured, key=lambda row: -row["accuracy"]) + [
        row for row in rows if "accuracy" not in row
    ]
    found: dict[str, Any] = {"backbones": rows, "plot": None, "best": None}
    if measured:
        config = build_config(_of(request, rows[0]["backbone"]))
        folder = config.root / "tournament" / rows[0]["run_id"]
        found |= tournament_output.write(rows, measured, folder) | {"best": rows[0]["backbone"]}
    console = Console(stderr=request.as_json, highlight=False, soft_wrap=True)
    tournament_output.show(found, console, _command(request, rows[0]))
    if request.as_json:
        print(json.dumps(found), flush=True)
    return EXIT_DONE if measured else EXIT_FAILED


def _known(backbones: Sequence[str]) -> list[str]:
    names = [name.strip() for text in backbones for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in BACKBONES]
    if unknown or (backbones and not names):
        found = f"unknown {shown(', '.join(unknown))}" if unknown else "found no name"
        raise ConfigError(
            f"--backbones: {found}; allowed are {', '.join(BACKBONES)}, and {PREFIX}FOLDER for a "
            "preset of KerasHub. Name some of them, or leave the option out for all listed here."
        )
    for name in names:
        BACKBONES[name].resolved(name)  # a mistyped folder is told before hours of other backbones
    return list(dict.fromkeys(names)) or list(BACKBONES)


def _check(request: Request, names: Sequence[str]) -> None:
    """Makes sure that the configuration suits one of the backbones, and that there are pictures.

    Raises:
      ConfigError: it suits none, or a folder is missing or can't be written.
      DataError: the pictures can't make a classifier.
    """
    suited, faults = [], []
    for name in names:
        try:
            suited.append(build_config(_of(request, name)))
        except ConfigError as error:
            faults.append(error)
    if not suited:
        raise faults[0]
    preflight.check_folders(suited[0])  # what all of them need is told once, not in each row


def _of(request: Request, backbone: str) -> Request:
    keys = [*request.assignments, *_ALIKE, _assignment(backbone)]
    return dataclasses.replace(request, assignments=keys, to_node=_LAST_NODE)


def _row(request: Request, backbone: str) -> Row:
    """Returns what a backbone reached, or, as `error`, why it could not be measured."""
    row: Row = {"backbone": backbone}
    asked = _of(request, backbone)
    try:
        config = build_config(asked)
        run = execute(asked)
        if run["error"]:
            return row | {"error": run["error"]}
        with quiet(Path(run["log"]), to_stderr=request.as_json) as shown, RunView(shown) as view:
            view.say(f"Fitting a head on the features of {backbone} ...")
            entrant = _enter(config, run["run_id"])
    except UserError as error:  # most often: its weights can't be had
        return row | {"error": str(error)}
    return (
        row | dataclasses.asdict(entrant) | {"run_id": run["run_id"], "set": _words(request, row)}
    )


def _words(request: Request, row: Row) -> list[str]:
    """Returns the arguments with which `run` goes on with a backbone."""
    keys = [*request.assignments, _assignment(row["backbone"])]
    return [word for key in keys for word in ("--set", key)]


def _assignment(backbone: str) -> str:
    """Returns the assignment of a name, in quotes where YAML would read something else."""
    try:
        plain = yaml_text.parse(backbone, "--backbones") == backbone
    except ConfigError:
        plain = False
    return f"model.backbone={backbone if plain else json.dumps(backbone, ensure_ascii=False)}"


def _command(request: Request, row: Row) -> list[str]:
    """Returns the command that runs the whole pipeline with a backbone."""
    data = [request.data] if isinstance(request.data, str) else request.data or []
    options = [
        ("--config", request.config_file),
        ("--preset", request.preset),
        *(("--data", each) for each in data),
        ("--root", request.root),
    ]
    named = [str(part) for name, value in options if value is not None for part in (name, value)]
    return ["transfer-pipeline", "run", *named, *_words(request, row)]


def _enter(config: Config, run_id: str) -> Entrant:
    from components.tuner.entrant import enter

    with readable_features(config, run_id) as (bottlenecks, classes):
        return enter(bottlenecks, classes, config.model, config.image_size, config.training)
