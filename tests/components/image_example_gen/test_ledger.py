from __future__ import annotations

import collections
import hashlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from components.artifacts.features import SPLITS
from components.image_example_gen.ingest_report import ingest_report
from components.image_example_gen.ledger import Ledger
from components.image_example_gen.memory import Memory
from components.image_example_gen.sources import Listing
from components.image_example_gen.verdicts import Row
from components.settings.data import Data

LABELS = ["cats", "dogs"]


def data(**options: Any) -> Data:
    return Data(source="/x", **options)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def rows(label: str, count: int, seed: str = "", **more: str) -> list[Row]:
    return [
        {
            "file": f"{label}/{seed}{number}",
            "label": label,
            "sha256": digest(f"{label}{seed}{number}"),
            "difference_hash": digest(f"{label}{seed}{number}") + "0" * 16,
            **more,
        }
        for number in range(count)
    ]


def notes(ledger: Ledger, listed: list[str]) -> list[str]:
    found: list[str] = ingest_report(Listing([], listed, 0), ledger)["notes"]
    return found


def splits(ledger: Ledger) -> dict[str, str]:
    return {row["file"]: row["split"] for row in ledger.accepted}


FILES = st.lists(
    st.tuples(
        st.sampled_from(LABELS),
        st.one_of(
            st.fixed_dictionaries(
                {"sha256": st.sampled_from("abcdef"), "difference_hash": st.just("0" * 80)},
                optional={"split": st.sampled_from(SPLITS), "group": st.sampled_from("xyz")},
            ),
            st.builds(dict, reason=st.text(min_size=1, max_size=5)),
        ),
    )
)
ROWS = FILES.map(
    lambda files: [
        {"file": f"{label}/{number}", "label": label, **fate}
        for number, (label, fate) in enumerate(files)
    ]
)


@given(ROWS, st.sampled_from(["train", "leave_out"]))
def test_every_file_is_accepted_or_rejected_or_left_out_and_the_counts_add_up(
    found: list[Row], small_classes: str
) -> None:
    ledger = Ledger.of(found, data(small_classes=small_classes))
    assert len(ledger.rows()) == len(found)
    assert {row["file"] for row in ledger.rows()} == {row["file"] for row in found}
    counts = ledger.counts(LABELS)
    assert list(counts) == list(SPLITS)
    assert sum(sum(by_class.values()) for by_class in counts.values()) == len(ledger.accepted)


@given(ROWS)
def test_what_is_accepted_of_a_content_has_one_label_and_one_split(found: list[Row]) -> None:
    kept: dict[str, set[tuple[str, str]]] = collections.defaultdict(set)
    for row in Ledger.of(found, data()).accepted:
        kept[row["sha256"]].add((row["label"], row["split"]))
    assert all(len(of_content) == 1 for of_content in kept.values())


def test_rows_are_sorted_by_file_whatever_order_they_came_in() -> None:
    unsorted = [{"file": name, "label": "cats", "reason": "empty file"} for name in "cab"]
    assert [row["file"] for row in Ledger.of(unsorted, data()).rejected] == ["a", "b", "c"]


def test_conflicts_are_rejected_beside_unreadable_ones() -> None:
    good = {"sha256": "x", "difference_hash": "0" * 80}
    ledger = Ledger.of(
        [
            {"file": "cats/1", "label": "cats", **good},
            {"file": "dogs/1", "label": "dogs", **good},
            {"file": "cats/2", "label": "cats", "reason": "empty file"},
        ],
        data(),
    )
    assert ledger.accepted == []
    assert [row["file"] for row in ledger.rejected] == ["cats/1", "cats/2", "dogs/1"]
    assert all(set(row) == {"file", "label", "reason"} for row in ledger.rejected)


def test_the_split_of_a_rejected_file_is_known_where_the_source_gives_it() -> None:
    gone = {"label": "cats", "reason": "empty file"}
    ledger = Ledger.of([{"file": "a", **gone}, {"file": "b", "split": "test", **gone}], data())
    assert ledger.rejected_by_split == {"undecided": 1, "test": 1}


def test_a_group_and_equal_pictures_are_in_one_split() -> None:
    found = [row for n in range(30) for row in rows("cats", 3, f"{n}-", group=f"patient {n}")]
    same = [{**row, "file": f"copy {row['file']}"} for row in rows("dogs", 30)]
    cut = splits(Ledger.of([*found, *rows("dogs", 30), *same], data()))
    for number in range(30):
        assert len({cut[f"cats/{number}-{of}"] for of in range(3)}) == 1
        assert cut[f"dogs/{number}"] == cut[f"copy dogs/{number}"]


def test_what_an_earlier_run_decided_stays_although_pictures_come_and_go() -> None:
    memory, before = Memory(), dict[str, str]()
    for week in range(1, 9):
        shown = [
            row for n in range(max(1, week - 3), week + 1) for row in rows("cats", 5 * n, f"w{n}-")
        ]
        ledger = Ledger.of([*shown, *rows("dogs", 40)], data(), memory=memory)
        cut = splits(ledger)
        assert {name: cut[name] for name in before if name in cut} == {
            name: split for name, split in before.items() if name in cut
        }
        assert ledger.moved == []
        before, memory = before | cut, memory.with_(ledger.accepted, None)


def test_a_picture_that_was_gone_for_a_while_comes_back_to_its_split() -> None:
    first = Ledger.of([*rows("cats", 30), *rows("dogs", 30)], data())
    memory = Memory().with_(first.accepted, None)
    without = Ledger.of([*rows("cats", 5, "new"), *rows("dogs", 30)], data(), memory=memory)
    memory = memory.with_(without.accepted, None)
    again = Ledger.of([*rows("cats", 30), *rows("dogs", 30)], data(), memory=memory)
    assert splits(again) == splits(first)


def test_the_pictures_of_a_known_group_follow_it_when_its_first_ones_are_gone() -> None:
    visits = [row for n in range(20) for row in rows("cats", 2, f"{n}-", group=f"patient {n}")]
    first = Ledger.of([*visits, *rows("dogs", 30)], data())
    memory = Memory().with_(first.accepted, None)
    later = [row for n in range(20) for row in rows("cats", 1, f"{n}-late", group=f"patient {n}")]
    cut = splits(Ledger.of([*later, *rows("dogs", 30)], data(), memory=memory))
    for number in range(20):
        assert cut[f"cats/{number}-late0"] == splits(first)[f"cats/{number}-0"]


def test_a_group_whose_pictures_lay_in_several_splits_goes_where_they_are_known_and_is_told() -> (
    None
):
    first = Ledger.of([*rows("cats", 40), *rows("dogs", 40)], data())
    memory = Memory().with_(first.accepted, None)
    grouped = [{**row, "group": f"g{n % 10}"} for n, row in enumerate(rows("cats", 40))]
    ledger = Ledger.of([*grouped, *rows("dogs", 40)], data(group_by="x"), memory=memory)
    assert ledger.moved
    assert all(moved.before != "train" for moved in ledger.moved)
    [told] = [note for note in notes(ledger, LABELS) if "moved to another split" in note]
    assert ledger.moved[0].file in told


def test_a_training_picture_that_the_source_now_puts_into_test_is_told_as_such() -> None:
    first = Ledger.of([*rows("cats", 40), *rows("dogs", 40)], data())
    memory = Memory().with_(first.accepted, None)
    given = [{**row, "split": "test"} for row in first.accepted if row["split"] == "train"]
    rest = [
        row
        for row in [*rows("cats", 40), *rows("dogs", 40)]
        if row["file"] not in {g["file"] for g in given}
    ]
    told = notes(Ledger.of([*given, *rest], data(), memory=memory), LABELS)
    assert any("64 of them were trained on before" in note for note in told)


def test_a_class_too_small_to_be_split_is_trained_or_left_out_and_told() -> None:
    found = [*rows("cats", 30), *rows("dogs", 30), *rows("newt", 2)]
    listed = ["cats", "dogs", "newt"]
    trained = Ledger.of(found, data())
    assert trained.counts(listed)["train"]["newt"] == 2
    assert any("newt (2)" in note and "leave_out" in note for note in notes(trained, listed))
    without = Ledger.of(found, data(small_classes="leave_out"))
    assert without.classes(listed) == ["cats", "dogs"]
    assert [row["label"] for row in without.left_out] == ["newt"] * 2
    assert any("Left out" in note and "newt (2)" in note for note in notes(without, listed))


def test_a_class_of_two_groups_is_too_small_however_many_pictures_they_have() -> None:
    found = [
        *[row for n in range(9) for row in rows("cats", 5, f"{n}-", group=f"c{n}")],
        *[row for n in range(2) for row in rows("dogs", 50, f"{n}-", group=f"d{n}")],
    ]
    ledger = Ledger.of(found, data())
    assert ledger.small == {"dogs": 100}
    assert min(ledger.counts(LABELS)[split]["cats"] for split in SPLITS) >= 5


def test_a_class_none_of_whose_pictures_can_be_used_is_no_class_and_told() -> None:
    broken = {"file": "newt/1", "label": "newt", "reason": "empty file"}
    ledger = Ledger.of([*rows("cats", 9), *rows("dogs", 9), broken], data())
    assert ledger.classes(["cats", "dogs", "newt"]) == LABELS
    assert any("none of its pictures" in note for note in notes(ledger, ["cats", "dogs", "newt"]))


def test_of_ninety_nine_small_classes_no_note_names_more_than_ten() -> None:
    listed = [f"c{number:02}" for number in range(99)]
    ledger = Ledger.of([row for label in listed for row in rows(label, 2)], data())
    told = notes(ledger, listed)
    assert len(told) == 2
    assert all("c09" in note and "c10" not in note and "89 more" in note for note in told)
