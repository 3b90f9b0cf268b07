"""The command `init`: writes a configuration for a folder of pictures, with its reasons."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

from components.errors import ConfigError, UserError
from components.settings.runtime import Runtime
from pipeline import config as configuration
from pipeline.commands import init_choices, init_source, init_speed, init_text
from pipeline.commands.init_choices import Choice
from pipeline.commands.new_files import new_text
from serving.names import shown, shown_lines
from serving.quiet_imports import quiet_import


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """The options of `init`."""

    place: Path
    output: Path | None = None
    minutes: float = 30.0
    measure: bool = True
    as_json: bool = False


def init(request: Request) -> bool:
    """Writes the configuration and prints it for people or programs.

    Returns whether a run with it would start.

    Raises:
      ConfigError: the file is there already.
      UserError: there are no pictures to read, or the file can't be written.
    """
    name = _name(request.place)
    file = request.output or Path(f"{name}.yaml")
    if file.exists():
        raise ConfigError(
            f"{shown(file)} is there already and stays as it is. Name another file with --output, "
            "or remove that one."
        )
    found = init_source.read(request.place)
    data = init_choices.of_data(found)
    plan, weights = _plan(found, request)
    choices = [
        Choice("pipeline_name", name, "the folder's name"),
        *data.choices,
        *init_choices.of_image(found, plan),
        *init_choices.of_model(plan, *weights),
        *init_choices.of_training(data.counts, plan),
        *init_choices.of_gate(data.counts),
        *_places(name, request.place),
    ]
    run = f"transfer-pipeline run --config {shlex.quote(str(file))}"
    text = init_text.as_yaml(choices, [f"Written by `transfer-pipeline init`; next: {run}"])
    _write(file, text)
    configuration.build(configuration.read_file(file))
    _print(request, file, choices, plan.seconds, data.would_stop, run)
    return data.would_stop is None


def _name(place: Path) -> str:
    """Returns a name as `pipeline_name` allows it."""
    own = place.absolute().resolve()
    stem = own.stem if own.is_file() else own.name
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-") or "pictures"


def _plan(
    found: init_source.Found, request: Request
) -> tuple[init_speed.Plan, tuple[str | None, str]]:
    """Returns the network and its training, and its weights with their reason."""
    if request.measure:
        print("Measuring this machine ...", file=sys.stderr, flush=True)
    weights = _weights()
    plan = init_speed.plan(
        init_choices.worth(found),
        len(found.rows),
        60 * request.minutes,
        init_speed.measured if request.measure else None,
        "any" if weights[0] == "imagenet" else "one",
    )
    return plan, weights


def _weights() -> tuple[str | None, str]:
    """Returns what `model.weights` is to be, and why: what can be had on this machine."""
    from components.pretrained.official_weights import WeightsUnavailable, obtainable
    from components.pretrained.substitute_weights import SUBSTITUTE_NOTICE, substitute_file

    with quiet_import():
        fault = obtainable("inception_v3")
    if fault is None:
        return "imagenet", "ImageNet's, which Keras downloads once"
    try:
        return str(substitute_file("inception_v3")), f"{fault}. {SUBSTITUTE_NOTICE}"
    except WeightsUnavailable:
        return None, (
            f"{fault}: random weights, with which few pictures teach little. Name a file "
            "(.weights.h5, .h5, .keras) here."
        )


def _places(name: str, place: Path) -> list[Choice]:
    """Returns where models and runs go: below the working folder, unless the pictures lie there.

    They are absolute, as the source is: a run from elsewhere goes on with the same root.
    """
    root = Path(Runtime().root).absolute()
    source = place if place.is_dir() else place.parent
    if Path.cwd().resolve().is_relative_to(source.resolve()):
        root = source.resolve().parent / root.name
    return [
        Choice("push.directory", str(root / "served" / name), "the models that pass the gate"),
        Choice("runtime.root", str(root), "artifacts, metadata and logs"),
    ]


def _write(file: Path, text: str) -> None:
    try:
        with new_text(file) as opened:
            opened.write(text)
    except OSError as error:
        raise UserError(
            f"{shown(file)} can't be written: {error.strerror}. Name a file that can (--output)."
        ) from error


def _print(
    request: Request,
    file: Path,
    choices: list[Choice],
    seconds: float | None,
    would_stop: str | None,
    run: str,
) -> None:
    if request.as_json:
        document: dict[str, Any] = {
            "config": str(file),
            "choices": [dataclasses.asdict(choice) for choice in choices],
            "seconds": seconds and round(seconds),
            "would_stop": would_stop,
            "next": run,
        }
        print(json.dumps(document, ensure_ascii=False))
        return
    for choice in choices:
        mark = "  (default)" if choice.default else ""
        value = choice.value if choice.value is not None else "null"
        print(shown(f"{choice.key} {value}: {choice.reason}{mark}"))
    print(f"Wrote {shown(file)}: every key stands there with its reason.")
    if would_stop:
        print(shown_lines(f"A run would stop: {would_stop}"))
    else:
        time = f" ({init_speed.in_words(seconds)})" if seconds else ""
        print(f"Next: {run}{time}")
