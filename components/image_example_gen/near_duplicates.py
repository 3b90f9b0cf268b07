"""Pictures of `eval` and `test` that look like one of a split which must not know them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from components.artifacts.features import SPLITS
from components.image_example_gen.verdicts import Row

MOST_BITS, MOST_FINE_BITS = 3, 20
"""Pictures whose coarse (64 bit) or fine (256 bit) difference hashes differ in more bits are taken
for different ones. Of 200 solar cells 88 % stayed within both when they were halved, encoded anew
or brightened, and 91 % within the coarse one alone; of the 1,076 pairs among 2,000 cells that the
coarse one takes for alike, the fine one leaves 190 (2026-11-22)."""

_BLOCK, _PART = 16, 12  # bits
_NEIGHBOURS = 64  # at most so many others are compared within one table: no quadratic loop


def across_splits(accepted: Sequence[Row], most_listed: int) -> dict[str, Any]:
    """Finds pictures of `eval` that resemble one of `train`, and of `test` one of the others.

    Returns {"count": how many, "listed": the first of them by name, each with the picture most like
    it: {"file", "split", "label", "like", "like_split", "like_label", "bits"}}. `bits` of the
    fine hash differ.
    """
    if not accepted:
        return {"count": 0, "listed": []}
    hashes = np.array([bytes.fromhex(row["difference_hash"]) for row in accepted], "V40")
    splits = np.array([SPLITS.index(row["split"]) for row in accepted])
    values, value_of = np.unique(hashes, return_inverse=True)
    words = values.view(">u8").reshape(-1, 5).astype(np.uint64)
    found = []
    for held_out in range(1, len(SPLITS)):
        known = _first_pictures(value_of, splits < held_out, len(values))
        nearest, bits = _nearest(words, known)
        for row in np.flatnonzero((splits == held_out) & (bits[value_of] <= MOST_FINE_BITS)):
            value = value_of[row]
            found.append((accepted[row], accepted[nearest[value]], int(bits[value])))
    found.sort(key=lambda pair: pair[0]["file"])
    return {"count": len(found), "listed": [_listed(*pair) for pair in found[:most_listed]]}


def _listed(row: Row, like: Row, bits: int) -> dict[str, Any]:
    return {
        **{key: row[key] for key in ("file", "split", "label")},
        **{f"like{end}": like[key] for end, key in _LIKE.items()},
        "bits": bits,
    }


_LIKE = {"": "file", "_split": "split", "_label": "label"}


def _first_pictures(value_of: np.ndarray, chosen: np.ndarray, values: int) -> np.ndarray:
    """Returns the first chosen picture with each value, or -1: [values] int64."""
    first = np.full(values, -1)
    rows = np.flatnonzero(chosen)[::-1]
    first[value_of[rows]] = rows  # the last assignment stands: that of the first row
    return first


def _nearest(words: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns each value's nearest known picture and the bits between: [values] int64 both."""
    nearest = known.copy()
    bits = np.where(known >= 0, 0, MOST_FINE_BITS + 1)
    for one, other, distance in similar_pairs(words):
        for here, there in ((one, other), (other, one)):
            closer = (known[there] >= 0) & (distance < bits[here])
            # From far to near, so that the nearest of several stands.
            order = np.argsort(-distance[closer], kind="stable")
            target, source = here[closer][order], there[closer][order]
            nearest[target], bits[target] = known[source], distance[closer][order]
    return nearest, bits


def similar_pairs(words: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yields pairs of values that are near by their coarse and their fine bits; some repeatedly.

    Sixteen sorted tables, as in G. Manku, A. Jain, A. Das Sarma, "Detecting near-duplicates for web
    crawling", WWW 2007: of four blocks at least one is equal in a pair, and of four parts of the
    rest one as well. Where more than 64 values share both, some pairs are not found.

    Args:
      words: [n, 5] uint64, the coarse bits and four words of fine ones; no two rows alike.

    Yields:
      Positions of one and of the other value, and the fine bits between them: [pairs] int64 each.
    """
    for block in range(4):
        for part in range(4):
            yield from _table_pairs(words, _key(words[:, 0], block, part))


def _key(values: np.ndarray, block: int, part: int) -> np.ndarray:
    """The block and the part of the rest that a table is sorted by: [n] uint64."""
    at = np.uint64(_BLOCK * block)
    low = values & ((np.uint64(1) << at) - np.uint64(1))
    chosen = values >> at & np.uint64(0xFFFF)
    rest = values >> at >> np.uint64(_BLOCK) << at | low
    shared = rest >> np.uint64(_PART * part) & np.uint64(0xFFF)
    return chosen << np.uint64(_PART) | shared


def _table_pairs(
    words: np.ndarray, key: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    for step in range(1, min(_NEIGHBOURS, len(words) - 1) + 1):
        together = ordered[step:] == ordered[:-step]
        if not together.any():
            return
        one, other = order[:-step][together], order[step:][together]
        near = _bits(words[one, :1] ^ words[other, :1]) <= MOST_BITS
        one, other = one[near], other[near]
        fine = _bits(words[one, 1:] ^ words[other, 1:])
        near = fine <= MOST_FINE_BITS
        yield one[near], other[near], fine[near]


def _bits(words: np.ndarray) -> np.ndarray:
    """How many bits are set in each row of uint64: [n] int64."""
    octets = np.ascontiguousarray(words).view(np.uint8)
    return np.unpackbits(octets, axis=1).sum(axis=1, dtype=np.int64)
