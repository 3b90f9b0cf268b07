from __future__ import annotations

from components.artifacts.features import SPLITS
from components.image_example_gen.ingest_report import ingest_report
from components.image_example_gen.ledger import Ledger
from components.image_example_gen.sources import Listing
from components.settings.data import Data


def accepted(file: str, split: str, sha256: str, seen: int) -> dict[str, str]:
    label, shown = file.split("/")[0], f"{seen:016x}"
    return {
        "file": file,
        "label": label,
        "split": split,
        "sha256": sha256,
        "difference_hash": shown,
    }


ROWS = [
    accepted("cats/1", "train", "a", 0),
    accepted("cats/2", "train", "a", 0),
    accepted("cats/3", "test", "b", 1),
    accepted("dogs/1", "eval", "c", 2**64 - 1),
    {"file": "dogs/2", "label": "dogs", "reason": "not a picture: none of JPEG"},
    {"file": "dogs/3", "label": "dogs", "reason": "not a picture: none of PNG"},
    {"file": "cats/4", "label": "cats", "reason": "empty file", "split": "test"},
]
LEDGER = Ledger.of(ROWS, Data(source="/x"))
REPORT = ingest_report(Listing([], ["cats", "dogs"], 3, ["Read spans 1, 2."]), LEDGER)


def test_every_file_is_counted_once() -> None:
    assert (REPORT["accepted"], len(REPORT["rejected"]), REPORT["ignored"]) == (4, 3, 3)
    assert list(REPORT["counts"]) == list(SPLITS)
    assert REPORT["counts"]["train"] == {"cats": 2, "dogs": 0}
    assert sum(sum(by_class.values()) for by_class in REPORT["counts"].values()) == 4


def test_rejected_files_are_counted_by_reason_class_and_split() -> None:
    assert REPORT["rejected_by_reason"] == {"not a picture": 2, "empty file": 1}
    assert REPORT["rejected_by_class"] == {"cats": 1, "dogs": 2}
    assert REPORT["rejected_by_split"] == {"test": 1, "undecided": 2}


def test_duplicates_and_near_duplicates_are_counted_and_listed() -> None:
    assert REPORT["duplicates"] == {"count": 1, "listed": [{"file": "cats/2", "like": "cats/1"}]}
    assert REPORT["near_duplicates"]["count"] == 1
    assert REPORT["near_duplicates"]["listed"][0]["file"] == "cats/3"


def test_notes_are_the_sources_and_what_the_splits_lack() -> None:
    *found, alike = REPORT["notes"]
    assert alike.startswith("1 of 1 test pictures look like one of train or eval: ")
    assert found == [
        "Read spans 1, 2.",
        "Too small to be split, with under three pictures (or groups): dogs (1). "
        "data.small_classes=leave_out leaves them out.",
        "Too small to be judged, with under 5 pictures in test: cats (1 of 3), dogs (0 of 1). The "
        "gate passes a class of which it can't tell, with a note; gate.strict=true does not.",
        "No picture of cats in eval.",
    ]
