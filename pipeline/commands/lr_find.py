"""The command `lr-find`: finds a learning rate for phase `frozen`."""

from __future__ import annotations

import dataclasses
import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from components.errors import ConfigError
from pipeline.commands.cached_features import readable_features
from pipeline.commands.console import RunView, quiet
from pipeline.commands.run import EXIT_DONE, EXIT_FAILED, Request, build_config, execute
from pipeline.config import Config

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from components.tuner.rate_range import Curve

_LAST_NODE = "BottleneckGen"


def lr_find(request: Request) -> int:
    """Runs the pipeline up to the cached features, then raises the rate from batch to batch.

    Prints the suggested rate, and writes `lr-find/RUN/curve.png` and `curve.json` into the root.

    Returns:
      The exit code: 0, or 1 where the run up to the features failed.

    Raises:
      ConfigError: the configuration's features are not cached.
      UserError: the run can't start.
    """
    config = build_config(request)
    _check(config)
    run = execute(dataclasses.replace(request, to_node=_LAST_NODE))
    if run["error"]:
        return EXIT_FAILED
    with quiet(Path(run["log"]), to_stderr=request.as_json) as shown, RunView(shown) as view:
        view.say("Raising the learning rate of phase frozen ...")
        curve = _sweep(config, run["run_id"])
        found = _write(curve, config, config.root / "lr-find" / run["run_id"])
        _show(found, shown)
    if request.as_json:
        print(json.dumps(found), flush=True)
    return EXIT_DONE


def _check(config: Config) -> None:
    frozen = config.training.frozen
    if not frozen.epochs or frozen.features != "cached":
        raise ConfigError(
            "training.frozen: the rates are tried on cached features, and this configuration has "
            "none. For lr-find set training.frozen.features=cached (without augmentation) and "
            "training.frozen.epochs to 1 or more."
        )


def _sweep(config: Config, run_id: str) -> Curve:
    from components.tuner.range_test import range_test

    with readable_features(config, run_id) as (bottlenecks, classes):
        return range_test(bottlenecks, classes, config.model, config.image_size, config.training)


def _write(curve: Curve, config: Config, folder: Path) -> dict[str, Any]:
    """Writes the curve as a plot and as JSON; returns the facts that `--json` prints."""
    folder.mkdir(parents=True)
    plot, values = folder / "curve.png", folder / "curve.json"
    draw(curve).savefig(plot, dpi=120)
    suggestion = curve.suggestion
    facts = dataclasses.asdict(curve) | {"suggestion": suggestion}
    values.write_text(json.dumps(facts, indent=1), "utf-8")
    return {
        "suggestion": suggestion,
        "configured": config.training.frozen.learning_rate,
        "diverged": curve.diverged,
        "plot": str(plot),
        "figures": str(values),
    }


def draw(curve: Curve) -> Figure:
    """Draws the loss over the rate, with the suggestion."""
    from matplotlib.figure import Figure

    figure = Figure((7, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(curve.rates, curve.losses, color="#b0b0b0", lw=1, label="after each batch")
    axes.plot(curve.rates, curve.smoothed, color="#1f5fa8", lw=2, label="smoothed")
    if curve.suggestion:
        name = f"falls fastest: {curve.suggestion:.2g}"
        axes.axvline(curve.suggestion, color="#d0701c", ls="--", label=name)
    axes.set_xscale("log")
    # Where it diverges the loss leaves what is of interest.
    least, top = min(curve.smoothed), min(max(curve.smoothed), 1.5 * curve.smoothed[0])
    margin = 0.05 * (top - least)
    axes.set_ylim(least - margin, top + margin)
    axes.set(xlabel="learning rate", ylabel="loss on eval")
    axes.legend()
    return figure


def _show(found: dict[str, Any], shown: Console) -> None:
    rate = found["suggestion"]
    if rate is None:
        shown.print("At no rate did the loss on eval fall: look at the plot, and at the pictures.")
    else:
        shown.print(
            f"The loss on eval falls fastest at a rate of {rate:.2g}; "
            f"training.frozen.learning_rate is {found['configured']:.2g}."
        )
        arguments = ["--set", f"training.frozen.learning_rate={rate:.2g}"]
        shown.print(f"Use it          {shlex.join(arguments)}")
    shown.print(escape(f"Plot            {found['plot']}"))
    shown.print(escape(f"Figures         {found['figures']}"))
