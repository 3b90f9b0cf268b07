from __future__ import annotations

from pathlib import Path

from components.artifacts import packed_json
from components.image_example_gen import memory
from components.image_example_gen.memory import Memory
from components.image_example_gen.verdicts import Row


def row(sha256: str, split: str, **more: str) -> Row:
    return {"file": sha256, "label": "cats", "sha256": sha256, "split": split, **more}


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    made = Memory({"a": "train"}, {"patient 1": "test"}, "patient")
    memory.write(made, str(tmp_path))
    assert memory.read(str(tmp_path)) == made


def test_a_folder_without_memory_and_none_at_all_know_nothing(tmp_path: Path) -> None:
    assert memory.read(str(tmp_path)) == memory.read("") == Memory()


def test_groups_are_known_as_long_as_the_same_rule_makes_them() -> None:
    made = Memory().with_([row("a", "test", group="1")], r"patient(\d)")
    other = [row("b", "", group="1")]
    assert made.known(other, r"patient(\d)") == {"test"}
    assert made.known(other, r"camera(\d)") == set()
    assert made.known([row("a", "")], r"camera(\d)") == {"test"}


def test_a_memory_is_part_of_a_later_one_unless_a_picture_moved() -> None:
    first = Memory().with_([row("a", "train"), row("b", "test")], None)
    assert first.is_part_of(first.with_([row("c", "test")], None))
    assert not first.is_part_of(first.with_([row("b", "train")], None))


def test_what_an_earlier_version_wrote_is_read(tmp_path: Path) -> None:
    known = {"pictures": {"a": "train"}, "groups": {"1": "test"}, "group_by": "patient"}
    packed_json.write(str(tmp_path), "splits.json.gz", known)
    assert memory.read(str(tmp_path)) == Memory({"a": "train"}, {"1": "test"}, "patient")


def test_what_is_gone_stays_known_and_what_moved_is_known_where_it_is_now(tmp_path: Path) -> None:
    first, second, third = (f"{number:064x}" for number in range(3))
    before = Memory().with_([row(first, "train"), row(second, "test", group="p")], "g")
    memory.write(before, str(tmp_path))
    after = memory.read(str(tmp_path)).with_(
        [row(second, "train", group="p"), row(third, "eval"), row(third, "eval")], "g"
    )
    assert after == Memory({first: "train", second: "train", third: "eval"}, {"p": "train"}, "g")
    assert after.pictures[second] == "train" and "f" * 64 not in after.pictures
