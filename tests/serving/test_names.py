from __future__ import annotations

import csv
import io
import os

import pytest

from serving.names import as_text, cell, quoted, shown, some


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cat 1.png", "cat 1.png"),
        ("Kätzchen 猫 🐈", "Kätzchen 猫 🐈"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("gpj.\u202egnp", r"gpj.\u202egnp"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("next\x85line\u2028", r"next\x85line\u2028"),
        ("\U000e0041", r"\U000e0041"),
        (os.fsdecode(b"caf\xe9.png"), r"caf\udce9.png"),
        ("<b>[bold]</b>", "<b>[bold]</b>"),
    ],
)
def test_what_can_not_be_seen_is_escaped_and_all_else_stays(name: str, expected: str) -> None:
    assert shown(name) == expected
    assert quoted(name) == f"'{expected}'"


def test_any_name_can_be_written_as_utf8() -> None:
    for number in range(0x110000):
        shown(chr(number)).encode()
    assert as_text(os.fsdecode(b"a\nb\xff")) == "a\nb\\udcff"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1"])
def test_no_cell_begins_as_a_formula_does(name: str) -> None:
    file = io.StringIO()
    csv.writer(file).writerow([cell(name)])
    [[read]] = csv.reader(io.StringIO(file.getvalue()))
    assert read.lstrip()[0] not in "=+-@\t\r"


def test_a_cell_of_a_usual_name_is_the_name() -> None:
    assert cell("folder/a=b,c.png") == "folder/a=b,c.png"


def test_the_first_of_many_names_are_listed_and_the_others_counted() -> None:
    assert some([]) == ""
    assert some(["a", "b"], 2) == "a, b"
    assert some(map(str, range(12))) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"
