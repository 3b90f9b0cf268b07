from __future__ import annotations

import json
from pathlib import Path

import pytest

from components.artifacts.rate_interval import wilson
from components.errors import UserError
from components.image_example_gen.sources import SourceFile
from pipeline.commands.evaluate import lines, paired, summary
from pipeline.commands.evaluate_answer import Answer
from pipeline.commands.evaluate_page import page
from tests.explains import refused
from tests.pipeline.conftest import Say

FILES = [SourceFile(f"/p/{n}.png", f"{n}.png", "ab"[n % 2], 1, 1) for n in range(8)]
RIGHT = [Answer("ab"[n % 2], 0.9) for n in range(8)]
WRONG = [*RIGHT[:5], Answer("a", 0.7), Answer("<b>", 0.99), "truncated"]


def test_the_interval_is_wilsons() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)


def test_rates_count_the_pictures_that_have_an_answer() -> None:
    found = summary(FILES, WRONG)
    assert (found["pictures"], found["accuracy"]) == (7, 5 / 7)
    assert found["class_recall"]["a"]["recall"] == 3 / 4
    assert found["confusion"] == {"a": {"a": 3, "<b>": 1}, "b": {"b": 2, "a": 1}}
    assert [row["score"] for row in found["mistakes"]] == [0.99, 0.7]  # the surest first
    assert found["refused"] == [{"file": "7.png", "reason": "truncated"}]
    with refused(
        UserError,
        found=r"No picture of 1 .* the first, \S+: empty file",
        allowed="At least one is needed",
        next="mend the files, or name another folder",
    ):
        summary(FILES[:1], ["empty file"])


def test_two_models_are_compared_on_the_pictures_that_both_classified() -> None:
    found = paired(FILES, RIGHT, WRONG)
    assert (found["gained"], found["lost"], found["p_value"]) == (2, 0, 0.5)
    assert found["difference"] == pytest.approx(2 / 7)


def test_people_read_lines_and_a_page_that_runs_no_markup_of_a_name() -> None:
    found = summary(FILES, WRONG) | {"model": "version 3", "against": None}
    found["against"] = {"version": 2, **paired(FILES, RIGHT, WRONG)}
    assert any("exact McNemar" in line for line in lines(found))
    html = page(found)
    assert "&lt;b&gt;" in html and "<td><b>" not in html and "://" not in html
    json.dumps(found)


def test_classes_that_the_model_never_names_are_told() -> None:
    others = [Answer("cd"[n % 2], 0.9) for n in range(8)]
    found = {"model": "version 3", "against": None}
    told = " ".join(lines(summary(FILES, others) | found))
    assert "None of the pictures' classes (a, b) was ever predicted, but c, d" in told
    assert "ever predicted" not in " ".join(lines(summary(FILES, WRONG) | found))


def test_one_model_has_to_be_named(say: Say, tmp_path: Path) -> None:
    code, _, err = say("evaluate", "--data", tmp_path)
    assert (code, "--model-dir" in err) == (2, True)
