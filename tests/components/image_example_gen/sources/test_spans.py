from __future__ import annotations

import re
from pathlib import Path

import pytest

from components import files as file_systems
from components.errors import ConfigError
from components.image_example_gen.sources import scan, spans
from components.settings.data import Data
from tests import made_pictures
from tests.explains import refused


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).mkdir(parents=True)


def newest(folder: Path, pattern: str, window: int = 1, last: int | None = None) -> list[str]:
    chosen, _ = spans.newest(f"{folder}/{pattern}", window, file_systems.view(""), last)
    return [str(Path(span.path).relative_to(folder)) for span in chosen]


def test_the_newest_span_is_the_greatest_number_not_the_last_name(tmp_path: Path) -> None:
    make(tmp_path, "span-9", "span-10", "span-x", "other")
    assert newest(tmp_path, "span-{SPAN}") == ["span-10"]


@pytest.mark.parametrize(("window", "found"), [(1, ["7"]), (2, ["5", "7"]), (9, ["2", "5", "7"])])
def test_the_window_rolls_over_the_spans_that_are_there(
    tmp_path: Path, window: int, found: list[str]
) -> None:
    make(tmp_path, "2", "5", "7")
    assert newest(tmp_path, "{SPAN}", window) == found


def test_a_run_for_a_past_span_reads_nothing_that_came_later(tmp_path: Path) -> None:
    make(tmp_path, "2", "5", "7")
    assert newest(tmp_path, "{SPAN}", 2, last=6) == ["2", "5"]
    with refused(
        ConfigError,
        found="data.span: found 1",
        allowed="the oldest span .* is 2",
        next="Name a later one",
    ):
        newest(tmp_path, "{SPAN}", last=1)


def test_of_each_span_the_newest_version_counts(tmp_path: Path) -> None:
    make(tmp_path, "1/v9", "1/v10", "2/v3")
    assert newest(tmp_path, "{SPAN}/v{VERSION}", 2) == ["1/v10", "2/v3"]


def test_dates_are_spans(tmp_path: Path) -> None:
    make(tmp_path, "y2025/12-31", "y2026/01-02", "y2026/01-01")
    assert newest(tmp_path, "y{YYYY}/{MM}-{DD}", 2) == ["y2026/01-01", "y2026/01-02"]
    make(tmp_path, "day-20260102", "day-2026010")
    assert newest(tmp_path, "day-{YYYY}{MM}{DD}") == ["day-20260102"]


def test_what_follows_the_span_must_be_there(tmp_path: Path) -> None:
    make(tmp_path, "1/pictures", "2")
    assert newest(tmp_path, "{SPAN}/pictures") == ["1/pictures"]


def test_a_span_that_comes_twice_in_the_path_is_the_same_one(tmp_path: Path) -> None:
    make(tmp_path, "1/1", "2/1", "2/3")
    assert newest(tmp_path, "{SPAN}/{SPAN}") == ["1/1"]


def test_no_span_is_told_with_what_is_there(tmp_path: Path) -> None:
    make(tmp_path, "week-1", "week-2")
    words = {"found": "no span matches", "next": "Correct the pattern, or add the folder"}
    with refused(ConfigError, allowed="there is: week-1, week-2", **words):
        newest(tmp_path, "span-{SPAN}")
    with refused(ConfigError, allowed="there is: nothing", **words):
        newest(tmp_path / "none", "span-{SPAN}")


def test_two_folders_of_one_span_are_refused(tmp_path: Path) -> None:
    make(tmp_path, "1", "01")
    with refused(
        ConfigError, found="are the same span", allowed="has one folder", next="Remove one"
    ):
        newest(tmp_path, "{SPAN}")


@pytest.mark.parametrize(
    "pattern", ["{SPAN}-{YYYY}{MM}{DD}", "{YYYY}-{MM}", "{VERSION}", "{SPAN}/{WEEK}", "{span}"]
)
def test_placeholders_that_make_no_span_are_refused(tmp_path: Path, pattern: str) -> None:
    with refused(
        ConfigError,
        found=re.escape(f"{pattern} has "),
        allowed="allowed are {SPAN}, or {YYYY}, {MM} and {DD} together",
        next="Correct the pattern",
    ):
        newest(tmp_path, pattern)


def test_manifests_of_spans_in_one_folder_are_all_read_under_names_of_their_own(
    tmp_path: Path,
) -> None:
    made_pictures.make(tmp_path, 4)
    for span, numbers in ((1, (0, 1, 2)), (2, (2, 3))):
        rows = [f"{label}/{at:03}.png,{label}" for label in ("blue", "red") for at in numbers]
        (tmp_path / f"week-{span}.csv").write_text("\n".join(["path,label", *rows]))
    both = scan(Data(source=f"{tmp_path}/week-{{SPAN}}.csv", window=2))
    assert [file.name for file in both.files if file.label == "red"] == [
        *("week-1/red/000.png", "week-1/red/001.png", "week-1/red/002.png"),
        *("week-2/red/002.png", "week-2/red/003.png"),
    ]
    last = scan(Data(source=f"{tmp_path}/week-{{SPAN}}.csv"))
    assert {file.name for file in last.files if file.label == "red"} == {
        *("red/002.png", "red/003.png"),
    }
