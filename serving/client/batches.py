"""Cuts pictures into messages within size limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def cut(
    items: Iterable[Item], weight: Callable[[Item], int], max_items: int, max_weight: int
) -> Iterator[list[Item]]:
    """Yields the items in order in batches of at most `max_items` and, together, `max_weight`.

    An item that is heavier by itself gets a batch of its own. Takes no more than one item ahead.
    """
    batch: list[Item] = []
    total = 0
    for item in items:
        if batch and (len(batch) == max_items or total + weight(item) > max_weight):
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += weight(item)
    if batch:
        yield batch
