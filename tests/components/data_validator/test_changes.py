from __future__ import annotations

from components.artifacts.known_pictures import Picture, as_bytes, parse
from components.data_validator.changes import compare, former_names


def pictures(**classes: range) -> list[Picture]:
    return [
        Picture(f"{label}/{n}.png", label, f"{n:016x}") for label, ns in classes.items() for n in ns
    ]


def test_pictures_are_known_by_their_content_wherever_they_lie() -> None:
    before = pictures(cat=range(10), dog=range(10, 20))
    moved = [picture._replace(file=f"elsewhere/{picture.file}") for picture in before]
    same = compare(before, moved)
    assert (same.relabelled, same.added, same.gone, same.renamed) == ([], [], [], {})
    assert same.sentences("x") == []
    found = compare(before, pictures(cat=range(2, 12), dog=range(12, 22)))
    assert found.relabelled == [("cat/10.png", "dog", "cat"), ("cat/11.png", "dog", "cat")]
    assert found.added == ["dog/20.png", "dog/21.png"]
    assert found.gone == ["cat/0.png", "cat/1.png"]


def test_the_sentence_has_the_three_counts_and_names_ten() -> None:
    before = pictures(cat=range(60), dog=range(60, 120))
    found = compare(before, pictures(cat=range(30), dog=range(30, 120)))
    [text] = found.sentences("2026-11-26")
    assert text.startswith("30 relabelled, 0 added, 0 gone since the data accepted on 2026-11-26: ")
    assert "dog/30.png ('cat', now 'dog'), " in text and text.endswith(" and 20 more.")
    assert len(found.document()["listed"]["relabelled"]) == 30


def test_a_renamed_class_is_known_by_its_pictures_and_none_of_them_is_relabelled() -> None:
    before = pictures(**{"8": range(50), "9": range(50, 90)})
    found = compare(before, pictures(**{"eight": range(10, 60), "9": range(60, 90)}))
    assert found.renamed == {"eight": "8"}
    assert len(found.relabelled) == 10  # of class 9
    assert len(found.gone) == 10
    assert found.sentences("x")[0] == "Class '8' is called 'eight' now, by its pictures."


def test_a_class_that_is_split_evenly_or_hardly_known_is_not_renamed() -> None:
    before = pictures(a=range(40), b=range(40, 80))
    split = compare(before, pictures(c=range(20), d=range(20, 40), b=range(40, 80)))
    assert split.renamed == {} and len(split.relabelled) == 40
    hardly = compare(before, pictures(c=[*range(3), *range(100, 150)], b=range(40, 80)))  # type: ignore[arg-type]
    assert hardly.renamed == {}
    kept = compare(before, pictures(a=range(20), c=range(20, 40), b=range(40, 80)))
    assert kept.renamed == {}  # `a` is still there


def test_of_equal_pictures_as_many_are_the_same_as_there_are_in_both() -> None:
    twice = [Picture("a/1", "a", "x"), Picture("a/2", "a", "x")]
    assert compare(twice, twice[:1]).gone == ["a/2"]
    assert compare(twice[:1], twice).added == ["a/2"]


def test_former_names_are_carried_on() -> None:
    first = former_names({"eight": "8"}, {}, ["eight", "nine"])
    assert first == {"eight": ["8"]}
    assert former_names({"VIII": "eight"}, first, ["VIII", "nine"]) == {"VIII": ["eight", "8"]}
    assert former_names({}, first, ["nine"]) == {}


def test_the_file_holds_what_was_written() -> None:
    made = [Picture("caf\\udce9\n.png", "é", "0" * 16)]
    assert parse(as_bytes(made)) == made


def test_of_many_renamed_classes_ten_are_named_and_the_rest_counted() -> None:
    spans = [range(30 * at, 30 * at + 30) for at in range(14)]
    before = pictures(**{f"a{at}": span for at, span in enumerate(spans)})
    found = compare(before, pictures(**{f"b{at}": span for at, span in enumerate(spans)}))
    assert len(found.sentences("x")) == 11
    assert found.sentences("x")[-1] == "4 more classes are called otherwise now."
