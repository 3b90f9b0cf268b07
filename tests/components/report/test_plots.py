from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from components.report.sections.confusion import matrix
from components.report.sections.training import curves
from tests.components.report.made_run import history

STRANGE = ["<b>&amp;", "$x^2$", "a\nb\x07", "苹果", "تفاح", "a name longer than any axis"]


def texts(svg: str) -> list[str]:
    root = ElementTree.fromstring(f'<div xmlns:xlink="http://www.w3.org/1999/xlink">{svg}</div>')
    return [element.text or "" for element in root.iter("text")]


def test_the_matrix_shows_counts_and_rates_of_the_true_class() -> None:
    found = texts(matrix(np.array([[3, 1], [0, 0]]), ["a", "b"]))
    assert found == ["a", "b", "predicted", "a", "b", "true", "3", "75 %", "1", "25 %", "0", "0 %"]


def test_names_of_any_script_stay_text_and_are_escaped() -> None:
    found = texts(matrix(np.eye(len(STRANGE), dtype=np.int64), STRANGE))
    shown = ["<b>&amp;", "$x^2$", r"a\nb\x07", "苹果", "تفاح", "a name longer tha…"]
    assert found[: len(STRANGE)] == shown
    assert found[len(STRANGE) + 1 : 2 * len(STRANGE) + 1] == shown


def test_colours_are_the_pages_own_so_that_dark_and_light_can_be_read() -> None:
    run = history(frozen=2, unfrozen=2)
    figures = [matrix(np.eye(2, dtype=np.int64), ["a", "b"])]
    figures += [curves(run["epochs"], run["best"], measure) for measure in ("accuracy", "loss")]
    for svg in figures:
        assert re.findall(r"#[0-9a-f]{6}", svg) == []
        assert {"var(--ink)", "var(--muted)"} <= set(re.findall(r"var\(--\w+\)", svg))


def test_phases_are_named_and_the_hand_over_is_marked_where_there_is_one() -> None:
    both, one = history(frozen=3, unfrozen=2), history(frozen=3, unfrozen=0)
    assert {"frozen", "unfrozen"} <= set(texts(curves(both["epochs"], both["best"], "loss")))
    assert "unfrozen" not in texts(curves(one["epochs"], one["best"], "loss"))
    handed_over = curves(both["epochs"], None, "loss")
    assert handed_over.count("stroke-dasharray") == 2  # the curve of train, and the line
    assert curves(one["epochs"], None, "loss").count("stroke-dasharray") == 1


@pytest.mark.parametrize("measure", ["accuracy", "loss"])
def test_curves_can_be_drawn_of_a_single_epoch_and_of_a_loss_that_ran_away(measure: str) -> None:
    single = history(frozen=0, unfrozen=1)
    assert "epoch 1 of phase unfrozen" in curves(single["epochs"], single["best"], measure)
    single["epochs"][0] |= {"loss": math.nan, "val_loss": math.nan}
    assert "nan" in curves(single["epochs"], None, "loss")
