"""Compares the weights in a file with a network's."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import h5py
import keras

from components.pretrained.saved_weights import save_weights

Shapes = list[tuple[int, ...]]


def first_difference(base: keras.Model, file: Path) -> str | None:
    """Describes the first layer of `base` whose weights are not in the file.

    Returns:
      None where the file can't be read as one of Keras' formats.
    """
    try:
        if file.suffix == ".keras":
            found = _of_model(keras.models.load_model(file, compile=False))
        elif file.name.endswith(".weights.h5"):
            return _by_place(base, file)
        else:
            found = _of_legacy(file)
    except (ValueError, OSError, KeyError, TypeError):
        return None
    return _compared(_of_model(base), found)


def _of_model(model: keras.Model) -> list[tuple[str, Shapes]]:
    return [
        (layer.name, [tuple(weight.shape) for weight in layer.weights])
        for layer in model.layers
        if layer.weights
    ]


def _of_legacy(file: Path) -> list[tuple[str, Shapes]]:
    with h5py.File(file) as content:
        root = content.get("model_weights", content)
        layers = [(_text(name), root[_text(name)]) for name in root.attrs["layer_names"]]
        named = [(name, group, list(group.attrs["weight_names"])) for name, group in layers]
        return [
            (name, [group[_text(weight)].shape for weight in weights])
            for name, group, weights in named
            if weights
        ]


def _by_place(base: keras.Model, file: Path) -> str | None:
    """Keras 3 keeps weights under the place of a layer among those of its kind, not its name."""
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder, "own.weights.h5")
        save_weights(base, own)
        needed, found = _places(own), _places(file)
    order = {layer.name: index for index, layer in enumerate(base.layers)}
    for place, (name, shapes) in sorted(
        needed.items(), key=lambda item: order.get(item[1][0], len(order))
    ):
        if place not in found:
            return f"the first difference: {name} {_shown(shapes)} has nothing in the file"
        if found[place][1] != shapes:
            other = _shown(found[place][1])
            return f"the first difference: {name} is {_shown(shapes)}, in the file {other}"
    more = [name for place, (name, _) in found.items() if place not in needed]
    return f"the file has more layers, the first is {more[0]}" if more else None


def _places(file: Path) -> dict[str, tuple[str, Shapes]]:
    """Returns name and shapes of the weights under each place."""
    found: dict[str, tuple[str, Shapes]] = {}

    def visit(path: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Group) and path.endswith("vars") and len(item):
            shapes = [item[str(index)].shape for index in range(len(item))]
            found[path] = (_text(item.attrs.get("name", path)), shapes)

    with h5py.File(file) as content:
        content.visititems(visit)
    return found


def _compared(needed: list[tuple[str, Shapes]], found: list[tuple[str, Shapes]]) -> str | None:
    for own, other in itertools.zip_longest(needed, found):
        if own is None:
            return f"the file has more layers, the first is {other[0]} {_shown(other[1])}"
        if other is None:
            return f"the file ends before {own[0]} {_shown(own[1])}"
        if own[1] != other[1]:
            return (
                f"the first difference: {own[0]} is {_shown(own[1])}, in the file {other[0]} is "
                f"{_shown(other[1])}"
            )
    return None


def _shown(shapes: Shapes) -> str:
    return " + ".join("x".join(map(str, shape)) or "1" for shape in shapes)


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name
