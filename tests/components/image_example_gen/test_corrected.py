from __future__ import annotations

import csv
import hashlib
import json
import shutil
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.artifacts import ledger_rows
from components.image_example_gen import sources
from components.image_example_gen.corrected import BEFORE, BY, OUT
from components.image_example_gen.ingest_report import ingest_report
from components.image_example_gen.ledger import Ledger
from components.image_example_gen.reading import read
from components.settings.data import Data
from pipeline.commands.check import check
from tests.components.image_example_gen.made_ingest import ingest


def write_classes(source: Path) -> None:
    """Writes six pictures of each of two classes."""
    random = np.random.default_rng(0)
    for label in ("cats", "dogs"):
        (source / label).mkdir(parents=True, exist_ok=True)
        for number in range(6):
            noise = random.integers(0, 256, (24, 24, 3), np.uint8)
            Image.fromarray(noise).save(source / label / f"{number}.png")


def made(tmp_path: Path, rows: list[tuple[str, str]]) -> Data:
    """Writes six pictures of each of two classes, and corrections."""
    write_classes(tmp_path / "source")
    table = tmp_path / "corrections.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label"), *rows])
    return Data(source=str(tmp_path / "source"), corrections=str(table))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def names(tmp_path: Path, label: str) -> list[Path]:
    return sorted((tmp_path / "source" / label).iterdir())


def ledger_of(data: Data) -> tuple[Ledger, sources.Listing]:
    listing = sources.scan(data)
    rows = [read(file, data, corrections=listing.corrections)[1] for file in listing.files]
    return Ledger.of(rows, data, listing.among), listing


def test_the_ingest_obeys_entries_by_path_and_by_sha256(tmp_path: Path) -> None:
    write_classes(tmp_path / "source")
    cats, dogs = names(tmp_path, "cats"), names(tmp_path, "dogs")
    gone = digest(dogs[0])
    rows = [
        (f"cats/{cats[0].name}", "dogs"),
        (digest(cats[1]), "dogs"),
        (f"cats/{cats[2].name}", "cats"),
        (gone, "-"),
        ("nowhere.png", "cats"),
    ]
    found = ingest(tmp_path / "out", made(tmp_path, rows))
    labels = dict(pair for pairs in found.known.values() for pair in pairs)
    assert labels[digest(cats[0])] == labels[digest(cats[1])] == "dogs"
    assert labels[digest(cats[2])] == "cats"
    assert gone not in labels and len(labels) == 11
    told = found.report["corrections"]
    assert {key: told[key] for key in ("relabelled", "confirmed", "left_out", "unknown")} == {
        "relabelled": 2,
        "confirmed": 1,
        "left_out": 1,
        "unknown": 1,
    }
    assert told["listed"]["relabelled"][0]["from"] == "cats"
    assert told["listed"]["unknown"] == ["nowhere.png"]
    assert found.report["rejected"] == []
    assert any("1 entry names no picture: nowhere.png" in note for note in found.report["notes"])
    by_file = {row["file"]: row for row in ledger_rows.read(found.folder)}
    assert by_file[f"cats/{cats[0].name}"][BEFORE] == "cats"
    assert by_file[f"dogs/{dogs[0].name}"][OUT] == "data.corrections"


def test_a_picture_keeps_its_split_when_its_label_is_corrected(tmp_path: Path) -> None:
    before = ingest(tmp_path / "before", made(tmp_path, []))
    rows = [(digest(path), "dogs") for path in names(tmp_path, "cats")[:2]]
    after = ingest(tmp_path / "after", made(tmp_path, rows), previous=before.folder)
    assert {split: {sha for sha, _ in rows} for split, rows in after.known.items()} == {
        split: {sha for sha, _ in rows} for split, rows in before.known.items()
    }


def test_a_correction_settles_a_picture_that_has_two_labels(tmp_path: Path) -> None:
    write_classes(tmp_path / "source")
    twice = names(tmp_path, "cats")[0]
    rows = [(digest(twice), "cats")]
    data = made(tmp_path, rows)
    shutil.copy(twice, tmp_path / "source" / "dogs" / "same.png")
    ledger, listing = ledger_of(data)
    assert not ledger.rejected
    assert ingest_report(listing, ledger)["corrections"]["relabelled"] == 1


def test_check_obeys_and_counts_corrections(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_classes(tmp_path / "source")
    one, other = names(tmp_path, "cats")[:2]
    data = made(tmp_path, [(digest(one), "dogs"), (f"cats/{other.name}", "")])
    check(data, as_json=True)
    found = json.loads(capsys.readouterr().out)
    totals = {
        name: sum(split[name] for split in found["counts"].values()) for name in ("cats", "dogs")
    }
    assert totals == {"cats": 4, "dogs": 7}
    assert (found["corrections"]["relabelled"], found["corrections"]["left_out"]) == (1, 1)


def test_an_entry_by_path_comes_before_one_by_sha256(tmp_path: Path) -> None:
    write_classes(tmp_path / "source")
    path = names(tmp_path, "cats")[0]
    data = made(tmp_path, [(digest(path), "-"), (f"cats/{path.name}", "dogs")])
    ledger, _ = ledger_of(data)
    row = next(row for row in ledger.accepted if row["file"] == f"cats/{path.name}")
    assert (row["label"], row[BY]) == ("dogs", f"cats/{path.name}")


@pytest.mark.parametrize("label", ["dogs", "-"])
def test_an_entry_by_sha256_settles_what_a_manifest_says_in_two_ways(
    tmp_path: Path, label: str
) -> None:
    write_classes(tmp_path / "source")
    [picture, *_] = names(tmp_path, "cats")
    pictures = [*names(tmp_path, "cats"), *names(tmp_path, "dogs")]
    rows = [(path.relative_to(tmp_path), path.parent.name) for path in pictures]
    rows.append((picture.relative_to(tmp_path), "dogs"))
    manifest = tmp_path / "pictures.csv"
    with manifest.open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label"), *rows])
    corrections = tmp_path / "corrections.csv"
    corrections.write_text(f"path,label\n{digest(picture)},{label}\n")
    ledger, listing = ledger_of(Data(source=str(manifest), corrections=str(corrections)))
    assert ledger.rejected == []
    assert ledger.corrected_by == {digest(picture)} == listing.corrections.keys()
    labels = {row["file"]: row["label"] for row in ledger.accepted}
    assert labels.get("source/cats/" + picture.name) == (None if label == "-" else label)


def test_an_entry_names_a_file_in_either_form_of_unicode(tmp_path: Path) -> None:
    one, other = (unicodedata.normalize(form, "é.png") for form in ("NFC", "NFD"))
    data = made(tmp_path, [(f"cats/{other}", "dogs"), (f"dogs/{one}", "-")])
    cats, dogs = names(tmp_path, "cats"), names(tmp_path, "dogs")
    cats[0].rename(cats[0].with_name(one))
    dogs[0].rename(dogs[0].with_name(other))
    ledger, listing = ledger_of(data)
    found = ingest_report(listing, ledger)["corrections"]
    assert (found["relabelled"], found["left_out"], found["unknown"]) == (1, 1, 0)
