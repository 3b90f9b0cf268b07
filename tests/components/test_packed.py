from __future__ import annotations

import os
import random
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from components import packed
from components.image_example_gen.sources.listing import Record, SourceFile, compressed
from components.packed import ordered

ODD = os.fsdecode(b"caf\xe9.png")  # a name that is not UTF-8


def files(number: int) -> Iterator[SourceFile]:
    for at in range(number):
        yield SourceFile(
            f"/data/cats/{at:06}-{ODD}",
            f"cats/{at:06}.png",
            "cats",
            at,
            at if at % 3 else "checksum",
            split="test" if at % 5 == 0 else None,
            group=f"p{at}" if at % 7 == 0 else None,
            record=Record(at, 9) if at % 2 else None,
            columns=(("age", "7"), ("site", "x")) if at % 4 == 0 else (),
            other_labels=("dogs",) if at % 11 == 0 else (),
        )


def in_all_sizes(test: Callable[..., None]) -> Callable[..., None]:
    """Has a test run with few and many records, of which many are compressed or none."""
    numbers = pytest.mark.parametrize("number", [0, 1, 255, 256, 257, 1000])
    return numbers(pytest.mark.parametrize("few", [256, 100_000])(test))


def made(number: int, few: int, monkeypatch: pytest.MonkeyPatch) -> list[SourceFile]:
    monkeypatch.setattr(packed, "_FEW", few)
    return list(files(number))


@in_all_sizes
def test_a_compressed_list_is_as_the_one_it_was_made_of(
    number: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = made(number, few, monkeypatch)
    found = compressed(plain)
    assert len(found) == number
    assert found == plain
    assert list(found) == plain
    for at in (slice(0, 3), slice(250, 260), slice(-5, None), slice(900, 2000), slice(None, 9, 4)):
        assert found[at] == plain[at]
    for at in {0, number // 2, number - 1, -1} if number else ():
        assert found[at] == plain[at]
    with pytest.raises(IndexError):
        found[number]


def test_records_are_sorted_in_parts_and_equal_ones_keep_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packed, "_FEW", 300)
    plain = list(files(1000))
    random.Random(0).shuffle(plain)
    by_split = ordered(SourceFile, iter(plain), lambda file: file.split or "")
    assert by_split == sorted(plain, key=lambda file: file.split or "")
    by_name = ordered(SourceFile, plain, lambda file: file.name)
    assert by_name == sorted(plain, key=lambda file: file.name)
    assert list(ordered(SourceFile, (), len)) == []  # type: ignore[arg-type]


def test_a_file_of_many_takes_some_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "_FEW", 256)
    tracemalloc.start()
    found = compressed(
        SourceFile(f"/data/cats/{at:06}.png", f"cats/{at:06}.png", "cats", 9 * at, 10**18 + at)
        for at in range(20_000)
    )
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held / len(found) < 40  # some 500 as objects


@in_all_sizes
def test_an_index_finds_what_is_there_and_nothing_else(
    number: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = made(number, few, monkeypatch)
    index = packed.Index(compressed(plain), lambda file: file.name)
    assert [index.get(file.name) for file in reversed(plain)] == plain[::-1]
    for at in (0, 1, 255, 256, 998):
        between = f"cats/{at:06}.png-"
        assert index.get(between) is None
        assert list(index.since(between)) == plain[at + 1 :]
        assert list(index.since(f"cats/{at:06}.png")) == plain[at:]
    assert index.get("") is None and index.get("dogs") is None
    assert list(index.since("")) == plain and not list(index.since("dogs"))


def test_an_index_of_many_in_their_order_unpacks_each_block_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packed, "_FEW", 256)
    monkeypatch.setattr(packed, "_HELD", 1)
    index = packed.Index(compressed(files(1000)), lambda file: file.name)
    unpacked: list[int] = []
    rows = packed.Compressed._rows
    monkeypatch.setattr(
        packed.Compressed, "_rows", lambda self, block: unpacked.append(1) or rows(self, block)
    )
    assert all(index.get(file.name) for file in files(1000))
    assert len(unpacked) <= 4
