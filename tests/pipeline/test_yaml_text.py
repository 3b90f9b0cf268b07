from __future__ import annotations

import time

import pytest

from components.errors import ConfigError
from pipeline.yaml_text import parse
from tests.explains import refused


def refusal(text: str, *, found: str = r"line \d", allowed: str = "YAML", next: str) -> str:
    with refused(ConfigError, found=rf"a\.yaml.*{found}", allowed=allowed, next=next) as told:
        parse(text, "a.yaml")
    return str(told.value)


def test_keys_are_text_as_they_are_written_and_values_are_what_they_were() -> None:
    text = "{yes: 0.9, no: 1, 01: yes, 1: null, null: [1, off], 3.10: '5', ~: a, 2026-01-01: 1e-3}"
    assert parse(text, "") == {
        **{"yes": 0.9, "no": 1, "01": True, "1": None, "null": [1, False], "3.10": "5"},
        **{"~": "a", "2026-01-01": "1e-3"},
    }


def test_aliases_and_merged_sections_stay() -> None:
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\nc: *a"
    assert parse(text, "")["b"] == {"x": 3, "y": 2}
    assert parse(text, "")["c"] == {"x": 1, "y": 2}


def test_a_key_twice_is_refused_with_both_lines() -> None:
    once = {"allowed": "A section has each key once", "next": "join the two, or remove one"}
    text = "data: {source: a}\npush:\n  directory: b\n'data':\n  window: 2\n"
    found = refusal(text, found="is there twice", **once)
    assert "a.yaml: the key 'data' is there twice, in line 1 and in line 4." in found
    assert "    1 | data: {source: a}\n" in found and "    4 | 'data':\n" in found
    refusal(
        "g:\n- cat: 1\n  cat: 2\n", found="'cat' is there twice, in line 2 and in line 3", **once
    )


def test_a_key_that_is_no_text_is_refused() -> None:
    refusal("a:\n  ? [b]\n  : 1\n", found="line 2", allowed="must be text", next="Write `KEY: VAL")


@pytest.mark.parametrize(
    ("text", "line", "shown", "hint"),
    [
        ("a:\n\tb: 1\n", 2, r"\tb: 1", "Indent with spaces"),
        ("a: 1\nb: 'c\nd: 2\n", 4, "", "quote that opens in line 2 is not closed"),
        ('a: "C:\\data"\n', 1, 'a: "C:\\data"', "single quotes"),
        ("a: b: c\n", 1, "a: b: c", "needs quotes"),
        ("a: @home\n", 1, "a: @home", "needs quotes"),
        ("a: *b\n", 1, "a: *b", "needs quotes"),
        ("a: [1, 2\nb: 3\n", 2, "b: 3", "bracket is not closed"),
        ("a: 1\nb\n", 3, "", "A key needs"),
        ("a:\n  b: 1\n c: 2\n", 3, " c: 2", "same indentation"),
        ('a: "b" c\n', 1, 'a: "b" c', "same indentation"),
    ],
)
def test_a_mistake_is_shown_with_its_line_a_mark_and_a_hint(
    text: str, line: int, shown: str, hint: str
) -> None:
    told = refusal(text, found=f"line {line}", allowed=r"a\.yaml is not YAML", next=hint)
    first, excerpt, mark, last = told.splitlines()
    assert first.startswith(f"a.yaml is not YAML, line {line}: ")
    assert excerpt == f"{line:5} | {shown}"
    assert mark.strip(" |") == "^"
    assert hint in last


def test_the_mark_stands_below_the_place_of_a_long_line() -> None:
    told = refusal(
        f"{{{'a' * 300}: b, c: d: e}}", next="quote the whole value|needs quotes|Correct"
    )
    _, excerpt, mark, _ = told.splitlines()
    assert len(excerpt) < 100
    assert excerpt[mark.index("^") :].startswith(": e")


def test_a_character_that_is_no_text_is_told_with_its_line() -> None:
    refusal(
        "a: 1\nb: \x07\n",
        found="line 2 has a character",
        allowed="is no text",
        next="Remove it, or save the file as UTF-8",
    )


def test_a_steering_sequence_is_shown_escaped() -> None:
    assert "\u202e" not in refusal("a: [\x85\u202e\n", next="bracket|Correct|needs")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "a: " + "{b: " * 5_000,
        "\n".join(" " * n + f"k{n}:" for n in range(1_000)),
        "\n".join([f"a0: &a0 [{'x, ' * 9}x]"]
        + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 40)]),
        "a: &a [*a]",
        "a: &a {b: {c: *a}}",
    ],
)  # fmt: skip
def test_what_nests_or_multiplies_without_end_is_refused_at_once(text: str) -> None:
    began = time.process_time()
    too_much = r"more than \d+ levels|more than 100,000 values"
    refusal(text, found=too_much, allowed="a configuration has fewer", next="Write it without")
    assert time.process_time() - began < 5  # an end of its own, not a measure


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_nothing_is_nothing(text: str) -> None:
    assert parse(text, "") is None


def test_two_documents_are_refused() -> None:
    refusal("a: 1\n---\nb: 2\n", found="line 2", allowed="Keep one document", next="remove")
