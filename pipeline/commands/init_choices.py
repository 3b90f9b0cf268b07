"""The choices of `init` for a source, each value with its reason."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any

from components.backbones import BACKBONES
from components.errors import DataError
from components.image_example_gen.sources import name_groups
from components.settings.data import NEAR_DUPLICATES, Data
from components.settings.training import Training
from pipeline.commands import init_source
from pipeline.commands.init_source import Found
from pipeline.commands.init_speed import Plan, in_words
from serving.names import shown, some

_FEW = 20  # pictures of a class, under which a person should know it
_UNEVEN = 3  # times as many pictures of one class as of another
_STEPS = 12  # batches in an epoch, at least
_ALIKE = 0.02  # of the held-out pictures that look like one of another split
_MOST_REJECTED = 0.2
_LIGHT = 200.0  # grey, of which white behind it leaves nothing
_STEP = 32  # pixels to which sizes are rounded up


@dataclasses.dataclass(frozen=True)
class Choice:
    """A key of the configuration."""

    key: str
    value: Any
    reason: str
    default: bool = False
    """It stands in the file as a comment alone."""


@dataclasses.dataclass(frozen=True)
class Sorted:
    """The pictures under the chosen settings of `data`."""

    choices: list[Choice]
    counts: dict[str, dict[str, int]]
    would_stop: str | None


def of_data(found: Found) -> Sorted:
    """Returns the choices of `data`, and what becomes of the pictures under them."""
    choices = [Choice("data.source", found.source, _source_reason(found))]
    data = Data(source=found.source)
    ledger, counts, stop = found.judged(data)
    rejected = len(ledger.rejected) / max(1, len(found.rows))
    if data.max_rejected_fraction < rejected <= _MOST_REJECTED:
        limit = math.ceil(100 * rejected) / 100
        reason = f"{len(ledger.rejected)} of {len(found.rows)} can't be used: `check` lists them"
        choices.append(Choice("data.max_rejected_fraction", limit, reason))
        data = data.model_copy(update={"max_rejected_fraction": limit})
        ledger, counts, stop = found.judged(data)
    if (grouped := _groups(found, data, init_source.alike(ledger), counts)) is not None:
        choice, data = grouped
        choices.append(choice)
        _, counts, stop = found.judged(data)
    few = {name: count for name, count in _pictures(counts).items() if count < _FEW}
    if few:
        listed = some(f"{shown(name)} ({count})" for name, count in few.items())
        reason = f"these classes have under {_FEW} pictures: {listed}"
        choices.append(Choice("data.small_classes", data.small_classes, reason, default=True))
    return Sorted(choices, counts, stop)


def _source_reason(found: Found) -> str:
    kind = "a manifest: " if not found.source.endswith("/") and "." in found.source[-6:] else ""
    classes = len(found.listing.classes)
    return f"{kind}{len(found.listing.files)} pictures of {classes} classes"


def _groups(
    found: Found, data: Data, alike: int, counts: dict[str, dict[str, int]]
) -> tuple[Choice, Data] | None:
    """Returns the grouping to choose, and `data` with it, None where there is none that works."""
    named = name_groups.find(found.listing)
    held_out = sum(sum(by_class.values()) for split, by_class in counts.items() if split != "train")
    if named:
        value = named.expression
        reason = f"{named.names} names look like {shown(named.example)}: {named.groups} groups"
    elif alike > max(1, _ALIKE * held_out) and not any(file.split for file in found.listing.files):
        value = NEAR_DUPLICATES
        reason = f"{alike} pictures of eval and test look like one of another split"
    else:
        return None
    grouped = data.model_copy(update={"group_by": value})
    try:
        if found.judged(grouped)[2] is None:
            return Choice("data.group_by", value, reason), grouped
    except DataError:
        pass
    reason += "; too few groups to cut them, so the accuracy will look too good"
    return Choice("data.group_by", None, reason, default=True), data


def _pictures(counts: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Returns the pictures of all splits by class."""
    classes = next(iter(counts.values()))
    return {name: sum(by_class[name] for by_class in counts.values()) for name in classes}


def worth(found: Found) -> int:
    """Returns the pixels of a side that the pictures are worth: more would be made up."""
    return math.ceil(found.shapes.longer / _STEP) * _STEP


def of_image(found: Found, plan: Plan) -> Iterator[Choice]:
    """Yields the choices of `image`."""
    shapes, own = found.shapes, BACKBONES[plan.backbone].size
    seen = f"the pictures are {shapes.shorter} x {shapes.longer} in the median"
    if plan.size == own:
        yield Choice("image.size", [own, own], f"{seen}; {plan.backbone}'s own", default=True)
    else:
        why = "" if plan.size >= worth(found) else "; smaller, to save time"
        yield Choice("image.size", [plan.size, plan.size], f"{seen}{why}")
    if shapes.elongated > 0.5:
        share = round(100 * shapes.elongated)
        yield Choice("image.fit", "pad", f"{share} % are over 1.5 times longer on one side")
    else:
        yield Choice("image.fit", "stretch", "most pictures are nearly square", default=True)
    if found.transparent:
        light = shapes.light is not None and shapes.light > _LIGHT
        about = f"{found.transparent} pictures have transparent pixels"
        about += ", and what is opaque is nearly white" if light else ""
        colour = "black" if light else "white"
        yield Choice("image.background", colour, about, default=not light)


def of_model(plan: Plan, weights: str | None, notice: str) -> Iterator[Choice]:
    """Yields the choices of `model`."""
    reason = "measured here: the first that fits the time" if plan.seconds else "the default"
    is_default = plan.backbone == "inception_v3"
    yield Choice("model.backbone", plan.backbone, reason, default=is_default)
    yield Choice("model.weights", weights, notice, default=weights == "imagenet")


def of_training(counts: dict[str, dict[str, int]], plan: Plan) -> Iterator[Choice]:
    """Yields the choices of `training`."""
    by_class = {name: count for name, count in init_source.trained(counts).items() if count}
    pictures, default = sum(by_class.values()), Training()
    batch = min(default.batch_size, 2 ** int(math.log2(max(4.0, pictures / _STEPS))), pictures)
    yield Choice(
        "training.batch_size", batch, f"{pictures} training pictures", batch == default.batch_size
    )
    low, high = min(by_class.values()), max(by_class.values())
    uneven = high >= _UNEVEN * low
    yield Choice(
        "training.class_weights",
        "balanced" if uneven else None,
        f"training pictures of a class: {low} to {high}",
        default=not uneven,
    )
    time = f"a run takes {in_words(plan.seconds)} here" if plan.seconds else "time not measured"
    if plan.per_picture:
        time += f": {1000 * plan.per_picture:.0f} ms a picture forward at {plan.size} px"
    epochs = plan.unfrozen_epochs
    yield Choice("training.unfrozen.epochs", epochs, time, epochs == default.unfrozen.epochs)


def of_gate(counts: dict[str, dict[str, int]]) -> Iterator[Choice]:
    """Yields the choices of `gate`: none but the defaults, since they are the user's to make."""
    tested = init_source.tested(counts)
    total = sum(tested.values()) or 1
    majority = max(tested.values()) / total
    yield Choice(
        "gate.min_accuracy",
        0.8,
        f"always naming the most frequent class gives {majority:.2f}; {total} test pictures",
        default=True,
    )
    least = min(tested, key=lambda name: tested[name])
    yield Choice(
        "gate.class_recall",
        dict.fromkeys([least], 0.5),
        f"a class's own threshold goes here; {shown(least)} has {tested[least]} test pictures",
        default=True,
    )
