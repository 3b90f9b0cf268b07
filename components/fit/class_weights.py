"""How much a class weighs in the loss, so that the rare ones count as much as the frequent."""

from __future__ import annotations

from collections.abc import Mapping


def balanced(counts: Mapping[str, int]) -> dict[str, float]:
    """Gives pictures over (classes x pictures of the class), as scikit-learn's `balanced`.

    Args:
      counts: training pictures by class; a class without any has no weight.
    """
    present = {name: count for name, count in counts.items() if count}
    mean = sum(present.values()) / max(len(present), 1)
    return {name: mean / count for name, count in present.items()}
