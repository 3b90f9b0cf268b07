"""Class weights of the loss, with which rare classes count as much as frequent ones."""

from __future__ import annotations

from collections.abc import Mapping


def balanced(counts: Mapping[str, int]) -> dict[str, float]:
    """Returns pictures over (classes x pictures of the class), as scikit-learn's `balanced`.

    Args:
      counts: training pictures by class; a class without any has no weight.
    """
    present = {name: count for name, count in counts.items() if count}
    mean = sum(present.values()) / max(len(present), 1)
    return {name: mean / count for name, count in present.items()}
