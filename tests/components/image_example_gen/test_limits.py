from __future__ import annotations

from components.errors import DataError
from components.image_example_gen.ledger import Ledger
from components.image_example_gen.limits import check_limits
from components.settings.data import Data
from tests.explains import refused

ENOUGH = {split: {"cats": 5, "dogs": 2} for split in ("train", "eval", "test")}


def check(counts: dict[str, dict[str, int]] = ENOUGH, rejected: int = 0, **options: object) -> None:
    rows = [
        {"file": f"cats/{n:02}", "label": "cats", "reason": "empty file"} for n in range(rejected)
    ]
    accepted = [{}] * sum(sum(by_class.values()) for by_class in counts.values())
    ledger = Ledger(accepted, rows)
    check_limits(ledger, counts, Data(source="/x", **options))  # type: ignore[arg-type]


def test_enough_is_enough() -> None:
    check()
    check(min_pictures=2)


def test_rejected_files_are_tolerated_up_to_the_fraction() -> None:
    check(rejected=21, max_rejected_fraction=0.5)
    with refused(
        DataError,
        found=r"22 of 43 pictures can't be used.*empty file \(22\)",
        allowed=r"data.max_rejected_fraction \(0.5\)",
        next="Mend or remove them, or raise the limit",
    ) as error:
        check(rejected=22, max_rejected_fraction=0.5)
    text = str(error.value)
    assert [line.strip() for line in text.splitlines()[1:]] == [
        f"cats/{n:02}: empty file" for n in range(10)
    ]


def test_a_class_without_a_picture_in_a_split_stops_no_run() -> None:
    check({**ENOUGH, "test": {"cats": 5, "dogs": 0}})


def test_where_a_minimum_is_asked_for_the_message_says_how_to_mend_it() -> None:
    counts = {**ENOUGH, "test": {"cats": 5, "dogs": 0}}
    with refused(
        DataError,
        found="No picture of dogs in test",
        allowed="three groups",
        next="add pictures.*lower data.min_pictures",
    ):
        check(counts, min_pictures=1)


def test_a_class_with_fewer_than_the_configured_minimum_is_named_with_its_count() -> None:
    with refused(
        DataError,
        found=r"Under 3 pictures of dogs in train \(2\), dogs in eval",
        allowed="three pictures",
        next=r"lower data.min_pictures \(3\)",
    ):
        check(min_pictures=3)


def test_of_many_small_classes_ten_are_named() -> None:
    counts = {split: {f"c{number:02}": 1 for number in range(99)} for split in ENOUGH}
    with refused(
        DataError,
        found=r"c09 in train \(1\) and 287 more",
        allowed="three pictures",
        next="add pictures",
    ):
        check(counts, min_pictures=2)


def test_a_split_without_any_picture_stops_the_run_and_says_what_helps() -> None:
    with refused(
        DataError,
        found="No picture at all in test",
        allowed="three groups",
        next="use smaller groups",
    ):
        check({**ENOUGH, "test": {"cats": 0, "dogs": 0}})


def test_a_single_class_that_is_left_stops_the_run() -> None:
    with refused(
        DataError,
        found="1 class left",
        allowed="a classifier needs two",
        next="Add pictures, or set data.small_classes=train",
    ):
        check({split: {"cats": 5} for split in ENOUGH})
