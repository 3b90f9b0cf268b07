"""The layers that a layer is made of, as KerasHub's blocks are made of some."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import keras


def with_inner(layers: Iterable[keras.Layer]) -> Iterator[keras.Layer]:
    """Yields each layer once, and those that it holds, however deep."""
    waiting, seen = list(layers), set()
    while waiting:
        layer = waiting.pop()
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        yield layer
        for held in vars(layer).values():
            some = held if isinstance(held, list | tuple) else [held]
            waiting += [each for each in some if isinstance(each, keras.Layer)]
