from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.artifacts import rows as packed
from components.artifacts.rows import Row, Rows


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


ROWS = st.lists(
    st.fixed_dictionaries(
        {"file": st.text(st.characters(exclude_categories=["Cs"]))},
        optional={
            "label": st.sampled_from(["cats", "dogs", "猫\n"]),
            "sha256": st.sampled_from("abc").map(digest) | st.just("no digest"),
            "group": st.sampled_from("xy"),
        },
    )
)


@settings(deadline=None)  # the first rows import pandas
@given(ROWS)
def test_rows_come_back_as_they_were(rows: list[Row]) -> None:
    made = Rows.of(rows)
    assert len(made) == len(rows)
    assert list(made) == rows == [made[at] for at in range(len(rows))]
    assert made == rows and made[1:] == rows[1:]


@settings(deadline=None)  # the first rows import pandas
@given(ROWS)
def test_they_are_sorted_filtered_and_counted_as_dictionaries_are(rows: list[Row]) -> None:
    made = Rows.of(rows)
    by_file = sorted(rows, key=lambda row: row["file"])
    assert made.by("file") == by_file
    assert made.where(made.has("group")) == [row for row in rows if "group" in row]
    assert made.is_among("label", ["cats"]).tolist() == [row.get("label") == "cats" for row in rows]
    pairs = {(row["file"], row.get("label")) for row in rows}
    assert made.different("file", "label") == len(pairs)
    codes, labels = made.shared("label")
    assert [labels[code] if code >= 0 else None for code in codes] == [
        row.get("label") for row in rows
    ]


def test_digests_are_raw_bytes_and_shared_texts_stand_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "PIECE", 10)
    made = Rows.of({"file": f"{n}", "label": "cats", "sha256": digest(str(n))} for n in range(95))
    assert made.raw("sha256").shape == (95, 32)
    assert made.raw("sha256")[7].tobytes().hex() == digest("7")
    assert made.column("label").dictionary.to_pylist() == ["cats"]
    assert made.take(np.array([94, 3]))[1]["file"] == "3"


def test_equal_contents_are_found_all_or_those_that_differ_in_something() -> None:
    rows = [
        {"file": "1", "label": "cats", "sha256": digest("a")},
        {"file": "2", "label": "cats", "sha256": digest("a")},
        {"file": "3", "label": "cats", "sha256": digest("b")},
        {"file": "4", "label": "dogs", "sha256": digest("b")},
        {"file": "5", "label": "dogs", "sha256": digest("c")},
        {"file": "6", "label": "dogs"},
    ]
    made = Rows.of(rows)
    assert [row["file"] for row in made.with_equals()] == ["1", "2", "3", "4"]
    assert [row["file"] for row in made.with_equals("label")] == ["3", "4"]


def test_columns_of_others_are_joined_by_a_key() -> None:
    made = Rows.of([{"file": "a", "label": "cats"}, {"file": "b", "label": "dogs"}])
    places = Rows.of([{"file": "b", "place": "one", "offset": "7"}])
    assert made.with_columns_of(places, "file") == [
        {"file": "a", "label": "cats"},
        {"file": "b", "label": "dogs", "place": "one", "offset": "7"},
    ]
