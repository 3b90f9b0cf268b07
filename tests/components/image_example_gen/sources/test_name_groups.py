from __future__ import annotations

import re

import pytest

from components.image_example_gen.sources import Listing, SourceFile, name_groups
from components.image_example_gen.sources.name_groups import offered


def listing(names: list[str], **more: str) -> Listing:
    files = [
        SourceFile(f"/x/cat/{name}", f"cat/{name}", "cat", 1, 1, below=name, **more)  # type: ignore[arg-type]
        for name in names
    ]
    return Listing(files, ["cat"], 0)


NAMES = {
    "tiles": [f"photo{n}_r{r:04}c{c:04}.png" for n in range(5) for r in (0, 64) for c in (0, 64)],
    "tiles of unnumbered photos": [
        f"{photo}_r{r:04}c0192.jpg" for photo in ("roof", "yard", "lane", "pond") for r in range(3)
    ],
    "frames": [f"scene{n:02}_frame{f}.jpg" for n in range(6) for f in range(8)],
    "visits": [f"patient{n}-{v}.png" for n in range(12) for v in range(3)],
    "windows": [f"street_{n}_x{x}_y{y}.tif" for n in range(5) for x in range(2) for y in range(2)],
    "folders": [f"module {n}/crop_{c}.png" for n in range(5) for c in range(4)],
}


@pytest.mark.parametrize("kind", NAMES)
def test_the_expression_that_is_offered_groups_the_names(kind: str) -> None:
    names = NAMES[kind]
    [sentence] = offered(listing(names))
    expression = sentence.split("data.group_by=")[1].removesuffix("'")
    groups = {name: re.search(expression, name) for name in names}
    assert all(groups.values())
    wanted = {re.split(r"_r\d|_frame|-\d|_x\d|/crop", name)[0] for name in names}
    assert {match[1] for match in groups.values() if match} == wanted
    assert f"{len(names)} of {len(names)} names" in sentence


@pytest.mark.parametrize(
    "names",
    [
        [f"IMG_{n:04}.JPG" for n in range(50)],
        [f"{n}.png" for n in range(50)],
        [f"cat-{n}.png" for n in range(50)],
        [f"2024-01-{n:02}.png" for n in range(1, 30)],
        [f"photo{n}_r0000c0000.png" for n in range(50)],  # one tile of each
    ],
)
def test_names_that_only_count_are_no_groups(names: list[str]) -> None:
    assert offered(listing(names)) == []


def test_of_many_names_the_first_say_what_is_tried_on_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_groups, "_TRIED", 40)
    found = offered(listing(NAMES["frames"]))
    assert found and f"{len(NAMES['frames'])} of {len(NAMES['frames'])} names" in found[0]
    assert offered(listing([*NAMES["frames"], *(f"{n}.png" for n in range(50))])) == []


def test_where_the_source_gives_splits_or_groups_nothing_is_offered() -> None:
    assert offered(listing(NAMES["frames"], split="train")) == []
    assert offered(listing(NAMES["frames"], group="a")) == []
