from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from components.image_example_gen import listing_handover
from components.image_example_gen.sources.listing import Listing, Record, SourceFile

ODD = os.fsdecode(b"caf\xe9.png")  # a name that is not UTF-8
FILE = SourceFile(f"/x/cats/{ODD}", "cats/a.png", "cats", 1, 10**18)
LISTING = Listing(
    [
        FILE,
        dataclasses.replace(FILE, modified="checksum", split="test", group="p7", below="a.png"),
        dataclasses.replace(FILE, among=("train", "eval"), record=Record(12, 34)),
    ],
    ["cats", "dogs"],
    3,
    ["a note"],
)


def test_a_kept_listing_comes_back_as_it_was(tmp_path: Path) -> None:
    fingerprint = listing_handover.keep(LISTING, str(tmp_path))
    assert fingerprint == LISTING.fingerprint()
    assert listing_handover.kept(str(tmp_path), fingerprint) == LISTING
    assert listing_handover.kept(str(tmp_path), "another") is None


def test_a_run_finds_the_listing_made_for_it(tmp_path: Path) -> None:
    listing_handover.keep(LISTING, str(tmp_path), run_id="run-1")
    assert listing_handover.kept_for_run(str(tmp_path), "run-1") == LISTING
    assert listing_handover.kept_for_run(str(tmp_path), "run-2") is None


def test_it_lies_beside_the_node_s_other_system_files(tmp_path: Path) -> None:
    listing_handover.keep(LISTING, str(tmp_path))
    [path] = (tmp_path / ".system" / "listings").iterdir()
    assert path.name == f"{LISTING.fingerprint()}.json.gz"


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    for number in range(30):
        file = dataclasses.replace(FILE, size=number)
        last = listing_handover.keep(Listing([file], ["cats"], 0), str(tmp_path), f"run-{number}")
        for path in (tmp_path / ".system" / "listings").iterdir():
            os.utime(path, (path.stat().st_mtime - 1,) * 2)  # a second later
    assert len(list((tmp_path / ".system" / "listings").iterdir())) == 20
    assert listing_handover.kept(str(tmp_path), last) is not None
    assert listing_handover.kept_for_run(str(tmp_path), "run-29") is not None
    assert listing_handover.kept_for_run(str(tmp_path), "run-0") is None
