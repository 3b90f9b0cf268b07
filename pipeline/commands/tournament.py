"""The command `tournament`: which backbone is worth a training on these pictures."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from components.backbones import BACKBONES
from components.errors import ConfigError, UserError
from pipeline.commands import preflight
from pipeline.commands.cached_features import readable_features
from pipeline.commands.console import RunView, quiet
from pipeline.commands.run import EXIT_DONE, EXIT_FAILED, Request, build_config, execute
from pipeline.config import Config

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from components.tuner.entrant import Entrant

_LAST_NODE = "BottleneckGen"
_ALIKE = (
    "model.features=null",  # layers by name are those of one backbone
    "training.frozen.features=cached",
    "training.frozen.augmentation={}",
    "training.unfrozen={epochs: 0}",
)

Row = dict[str, Any]


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
        found |= _write(rows, measured, config.root / "tournament" / rows[0]["run_id"])
    _show(found, Console(stderr=request.as_json))
    if request.as_json:
        print(json.dumps(found), flush=True)
    return EXIT_DONE if measured else EXIT_FAILED


def _known(backbones: Sequence[str]) -> list[str]:
    names = [name.strip() for text in backbones for name in text.split(",") if name.strip()]
    if unknown := [name for name in names if name not in BACKBONES]:
        raise ConfigError(
            f"--backbones: unknown {', '.join(unknown)}; allowed are {', '.join(BACKBONES)}. Name "
            "some of them, or none for all."
        )
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
    keys = [*request.assignments, *_ALIKE, f"model.backbone={backbone}"]
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
    keys = [*request.assignments, f"model.backbone={row['backbone']}"]
    return [word for key in keys for word in ("--set", key)]


def _enter(config: Config, run_id: str) -> Entrant:
    from components.tuner.entrant import enter

    with readable_features(config, run_id) as (bottlenecks, classes):
        return enter(bottlenecks, classes, config.model, config.image_size, config.training)


def _write(rows: list[Row], measured: list[Row], folder: Path) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    plot, values = folder / "accuracy.svg", folder / "rows.json"
    draw(measured).savefig(plot)
    values.write_text(json.dumps(rows, indent=1), "utf-8")
    return {"plot": str(plot), "figures": str(values), "best": rows[0]["backbone"]}


def draw(rows: Sequence[Row]) -> Figure:
    """Draws the accuracy, with its interval, over the milliseconds of one picture."""
    from matplotlib.figure import Figure

    figure = Figure((7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for row in rows:
        low, high = row["interval"]
        at, accuracy = row["milliseconds"], row["accuracy"]
        axes.errorbar(at, accuracy, [[accuracy - low], [high - accuracy]], fmt="o", capsize=3)
        axes.annotate(row["backbone"], (at, accuracy), (6, 4), textcoords="offset points", size=9)
    axes.set_xscale("log")
    axes.set(xlabel="milliseconds per picture", ylabel="accuracy on eval (95 % interval)")
    return figure


def _show(found: dict[str, Any], shown: Console) -> None:
    table = Table("backbone", "accuracy on eval", "95 % interval", "ms/picture", "MB")
    for row in found["backbones"]:
        if "error" in row:
            table.add_row(row["backbone"], escape(f"not measured: {row['error'][:150]}"))
            continue
        low, high = (f"{100 * bound:.1f}" for bound in row["interval"])
        accuracy = f"{100 * row['accuracy']:.1f} %"
        numbers = (f"{row['milliseconds']:.1f}", f"{row['megabytes']:.0f}")
        table.add_row(row["backbone"], accuracy, f"{low} to {high}", *numbers)
    shown.print(table)
    if found["best"]:
        shown.print(escape(f"Plot            {found['plot']}"))
        shown.print(escape(f"Go on           {shlex.join(found['backbones'][0]['set'])}"))
