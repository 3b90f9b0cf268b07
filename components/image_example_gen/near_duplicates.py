"""Near-duplicates: those in a split which must not know the other, and clusters of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from components.artifacts.features import SPLITS, TEST
from components.artifacts.packed_texts import Texts
from components.artifacts.rows import Rows
from components.image_example_gen.memory import split_codes
from components.image_example_gen.verdicts import Row

MOST_BITS, MOST_FINE_BITS = 3, 20
"""Pictures whose coarse (64 bit) or fine (256 bit) difference hashes differ in more bits are taken
for different ones. Of 200 solar cells 88 % stayed within both when they were halved, encoded anew
or brightened, and 91 % within the coarse one alone; of the 1,076 pairs among 2,000 cells that the
coarse one takes for alike, the fine one leaves 190 (2026-11-22)."""

_DEVIATIONS = 4
"""Simple pictures (digits, flags) differ in few bits anyhow: near is only what is so many standard
deviations nearer than pictures of different classes. Of 8 x 8 digits, 58 % of a fifth held out lay
within 20 bits of one of the others, and 2 % within the limit that this gives; it leaves
photographs and solar cells their 20 bits (2026-11-26)."""

_TOGETHER_BITS, _TOGETHER_FINE_BITS = 12, 40
"""Of pictures that are to stay together: a false pair costs little there, a missed one a leak."""

_SAMPLE, _ENOUGH = 20_000, 1_000  # pairs of different classes: drawn, and needed to tell

_BLOCK, _PART = 16, 12  # bits
_NEIGHBOURS = 64  # at most so many others are compared within one table: no quadratic loop


def across_splits(accepted: Sequence[Row], most_listed: int) -> dict[str, Any]:
    """Finds pictures of `eval` that resemble one of `train`, and of `test` one of the others.

    Returns {"count": how many, "in_test": how many of them are in `test`, "listed": the first of
    them by name, each with the picture most like it: {"file", "split", "label", "like",
    "like_split", "like_label", "bits"}}. `bits` of the fine hash differ.
    """
    rows = Rows.of(accepted)
    if not len(rows):
        return {"count": 0, "in_test": 0, "listed": []}
    words, value_of = _values(rows)
    splits = split_codes(rows)
    most = most_bits(words, value_of, rows.shared("label")[0])
    found, like, apart = [], [], []
    for held_out in range(1, len(SPLITS)):
        known = _first_pictures(value_of, splits < held_out, len(words))
        nearest, bits = _nearest(words, known, most)
        near = np.flatnonzero((splits == held_out) & (bits[value_of] <= most))
        found.append(near)
        like.append(nearest[value_of[near]])
        apart.append(bits[value_of[near]])
    every, others, distances = (np.concatenate(parts) for parts in (found, like, apart))
    first = rows.take(every).order_by("file")[:most_listed]
    return {
        "count": len(every),
        "in_test": int((splits[every] == SPLITS.index(TEST)).sum()),
        "listed": [
            _listed(rows[every[at]], rows[others[at]], int(distances[at])) for at in first.tolist()
        ],
    }


def clusters(rows: Sequence[Row]) -> dict[str, str]:
    """Returns the key of each picture's cluster, by file, as `clusters_of` finds them."""
    packed = Rows.of(rows)
    cluster, keys = clusters_of(packed)
    files = packed.texts("file")
    return {str(file): keys[at] for file, at in zip(files, cluster.tolist(), strict=True)}


def clusters_of(rows: Rows) -> tuple[np.ndarray, Sequence[str]]:
    """Returns which cluster each picture is in: those that look alike, maybe by others.

    Pictures of one group are in one cluster.

    Returns:
      [rows] int64; and the key of each cluster: the least SHA-256 in it.
    """
    if not len(rows):
        return np.zeros(0, np.int64), ()
    words, value_of = _values(rows)
    root = np.arange(len(words))

    def top(value: int) -> int:
        while root[value] != value:
            root[value] = root[root[value]]
            value = root[value]
        return int(value)

    most = most_bits(words, value_of, rows.shared("label")[0], _TOGETHER_FINE_BITS)
    for ones, others, _ in similar_pairs(words, most, _TOGETHER_BITS, by=range(5)):
        for one, other in zip(ones.tolist(), others.tolist(), strict=True):
            root[top(one)] = top(other)
    group, _ = rows.codes("group")
    grouped = np.flatnonzero(group >= 0)
    _, first, of = np.unique(group[grouped], return_index=True, return_inverse=True)
    firsts = value_of[grouped[first]][of.reshape(-1)]
    for value, together in zip(value_of[grouped].tolist(), firsts.tolist(), strict=True):
        root[top(value)] = top(together)
    while (root[root] != root).any():
        root = root[root]
    _, cluster = np.unique(root[value_of], return_inverse=True)
    order = rows.order_by("sha256")
    _, least = np.unique(cluster.reshape(-1)[order], return_index=True)
    return cluster.reshape(-1), Texts(rows.take(order[least]).digits("sha256"))


def most_bits(
    words: np.ndarray,
    value_of: np.ndarray,
    labels: Sequence[str] | np.ndarray,
    limit: int = MOST_FINE_BITS,
) -> int:
    """Returns how many fine bits may differ between near-duplicates of this set.

    Args:
      words: [n, 5] uint64, the different hashes.
      value_of: [pictures] which of them each picture has.
      labels: [pictures] the classes.
      limit: the most for any set.
    """
    of_class = np.unique(labels, return_inverse=True)[1]
    several = len(labels) ** 2 - sum(int(n) ** 2 for n in np.bincount(of_class)) >= 2 * _ENOUGH
    if not several:
        return limit
    one, other = _of_two_classes(of_class)
    bits = _bits(words[value_of[one], 1:] ^ words[value_of[other], 1:])
    middle, low = np.quantile(bits, [0.5, 0.1587])  # one standard deviation, without the tails
    return int(np.clip(middle - _DEVIATIONS * (middle - low), 0, limit))


def _of_two_classes(of_class: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns random pairs of pictures of different classes: [pairs] int64 both.

    Args:
      of_class: [pictures] the class of each, of several.
    """
    random, pictures = np.random.default_rng(0), len(of_class)
    one, other = random.integers(pictures, size=(2, _SAMPLE))
    apart = of_class[one] != of_class[other]
    if apart.sum() >= _ENOUGH:
        return one[apart], other[apart]
    # One class has nearly all pictures: the other one is drawn from the other classes alone.
    counts = np.bincount(of_class)
    others = (pictures - counts)[of_class]
    one = random.choice(pictures, _SAMPLE, p=others / others.sum())
    place, own = random.integers(others[one]), of_class[one]
    behind = place >= (np.cumsum(counts) - counts)[own]
    return one, np.argsort(of_class, kind="stable")[place + counts[own] * behind]


def _values(rows: Sequence[Row]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the different hashes, [n, 5] uint64, and which of them each picture has: [rows]."""
    digests = Rows.of(rows).raw("difference_hash")
    hashes = np.zeros((len(rows), 40), np.uint8)
    hashes[:, : digests.shape[1]] = digests
    values, value_of = np.unique(hashes.view("V40").reshape(-1), return_inverse=True)
    return values.view(">u8").reshape(-1, 5).astype(np.uint64), value_of.reshape(-1)


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


def _nearest(words: np.ndarray, known: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns each value's nearest known picture and the bits between: [values] int64 both."""
    nearest = known.copy()
    bits = np.where(known >= 0, 0, most + 1)
    for one, other, distance in similar_pairs(words, most):
        for here, there in ((one, other), (other, one)):
            closer = (known[there] >= 0) & (distance < bits[here])
            # From far to near, so that the nearest of several stands.
            order = np.argsort(-distance[closer], kind="stable")
            target, source = here[closer][order], there[closer][order]
            nearest[target], bits[target] = known[source], distance[closer][order]
    return nearest, bits


def similar_pairs(
    words: np.ndarray,
    most: int = MOST_FINE_BITS,
    coarse: int = MOST_BITS,
    by: Sequence[int] = (0,),
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yields pairs of values that are near by their coarse and their fine bits; some repeatedly.

    Sixteen sorted tables, as in G. Manku, A. Jain, A. Das Sarma, "Detecting near-duplicates for web
    crawling", WWW 2007: of four blocks at least one is equal in a pair, and of four parts of the
    rest one as well. Where more than 64 values share both, some pairs are not found.

    Args:
      words: [n, 5] uint64, the coarse bits and four words of fine ones; no two rows alike.
      most: how many fine bits may differ.
      coarse: how many coarse bits may differ.
      by: the columns that the tables are made of; a pair is found for certain if it differs in no
        more than three bits of one of them.

    Yields:
      Positions of one and of the other value, and the fine bits between them: [pairs] int64 each.
    """
    for column, block, part in itertools.product(by, range(4), range(4)):
        yield from _table_pairs(words, _key(words[:, column], block, part), most, coarse)


def _key(values: np.ndarray, block: int, part: int) -> np.ndarray:
    """The block and the part of the rest that a table is sorted by: [n] uint64."""
    at = np.uint64(_BLOCK * block)
    low = values & ((np.uint64(1) << at) - np.uint64(1))
    chosen = values >> at & np.uint64(0xFFFF)
    rest = values >> at >> np.uint64(_BLOCK) << at | low
    shared = rest >> np.uint64(_PART * part) & np.uint64(0xFFF)
    return chosen << np.uint64(_PART) | shared


def _table_pairs(
    words: np.ndarray, key: np.ndarray, most: int, coarse: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    for step in range(1, min(_NEIGHBOURS, len(words) - 1) + 1):
        together = ordered[step:] == ordered[:-step]
        if not together.any():
            return
        one, other = order[:-step][together], order[step:][together]
        near = _bits(words[one, :1] ^ words[other, :1]) <= coarse
        one, other = one[near], other[near]
        fine = _bits(words[one, 1:] ^ words[other, 1:])
        near = fine <= most
        yield one[near], other[near], fine[near]


def _bits(words: np.ndarray) -> np.ndarray:
    """Returns how many bits are set in each row of uint64: [n] int64."""
    found = np.empty(len(words), np.int64)
    for start in range(0, len(words), _AT_ONCE):
        octets = np.ascontiguousarray(words[start : start + _AT_ONCE]).view(np.uint8)
        found[start : start + _AT_ONCE] = _SET[octets].sum(axis=1, dtype=np.int64)
    return found


_SET = np.array([value.bit_count() for value in range(256)], np.uint8)
_AT_ONCE = 1 << 16  # pairs whose bits are counted at a time
