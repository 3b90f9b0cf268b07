from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from components.artifacts.features import SPLITS
from components.image_example_gen.verdicts import Row, conflicts, duplicates, leaks


def verdicts(rows: list[Row]) -> dict[str, str]:
    """Conflicts first, as in the ledger."""
    reasons = conflicts(rows)
    return reasons | leaks([row for row in rows if row["file"] not in reasons])


def picture(file: str, sha256: str, split: str = "train") -> Row:
    return {"file": file, "label": file.split("/")[0], "split": split, "sha256": sha256}


def test_equal_pictures_of_one_class_in_one_split_are_all_kept() -> None:
    rows = [picture(f"cats/{number}", "same") for number in range(3)]
    assert verdicts(rows) == {}
    repeated = [(row["file"], first["file"]) for row, first in duplicates(rows)]
    assert repeated == [("cats/1", "cats/0"), ("cats/2", "cats/0")]


def test_the_same_picture_under_two_labels_is_rejected_everywhere_naming_the_other() -> None:
    rows = [picture("cats/1", "same"), picture("dogs/1", "same"), picture("cats/2", "same")]
    assert verdicts(rows) == {
        "cats/1": "same picture under two labels: dogs/1 is labelled 'dogs'",
        "cats/2": "same picture under two labels: dogs/1 is labelled 'dogs'",
        "dogs/1": "same picture under two labels: cats/1 is labelled 'cats'",
    }


def test_one_file_that_a_manifest_gives_two_labels_is_a_conflict() -> None:
    row = picture("1.png", "same")
    rows = [{**row, "label": "cats"}, {**row, "label": "dogs"}]
    assert list(verdicts(rows)) == ["1.png"]


def test_of_equal_pictures_in_several_splits_the_strictest_split_keeps_its_own() -> None:
    rows = [picture(f"cats/{split}{n}", "same", split) for split in SPLITS for n in (1, 2)]
    found = verdicts(rows)
    assert sorted(found) == ["cats/eval1", "cats/eval2", "cats/train1", "cats/train2"]
    assert set(found.values()) == {"same picture in two splits: cats/test1 in test is kept"}
    assert list(verdicts(rows[:4])) == ["cats/train1", "cats/train2"]  # without test: eval


def test_a_conflict_counts_before_a_leak() -> None:
    rows = [picture("cats/1", "same", "test"), picture("dogs/1", "same", "train")]
    assert len(verdicts(rows)) == 2


ROWS = st.lists(
    st.tuples(st.sampled_from(["cats", "dogs"]), st.sampled_from("abcde"), st.sampled_from(SPLITS))
).map(
    lambda parts: [
        picture(f"{label}/{number}", content, split)
        for number, (label, content, split) in enumerate(parts)
    ]
)


@given(ROWS)
def test_what_stays_of_a_content_has_one_label_and_one_split(rows: list[Row]) -> None:
    rejected = verdicts(rows)
    kept: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        if row["file"] not in rejected:
            kept.setdefault(row["sha256"], set()).add((row["label"], row["split"]))
    assert all(len(of_content) == 1 for of_content in kept.values())


@given(ROWS, st.randoms())
def test_the_order_of_the_rows_does_not_matter(rows: list[Row], random) -> None:  # type: ignore[no-untyped-def]
    mixed = random.sample(rows, len(rows))
    assert verdicts(mixed) == verdicts(rows)


@given(ROWS)
def test_who_has_no_equal_is_never_rejected(rows: list[Row]) -> None:
    contents = [row["sha256"] for row in rows]
    alone = {row["file"] for row in rows if contents.count(row["sha256"]) == 1}
    assert not alone & verdicts(rows).keys()
