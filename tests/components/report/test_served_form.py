from __future__ import annotations

import dataclasses

from components.report.page import render
from tests.components.report.made_run import EXPORT, Page, run


def test_the_served_form_stands_beside_the_plain_one_with_gain_and_cost() -> None:
    page = Page(render(dataclasses.replace(run(), export=EXPORT)))
    assert page.table("Network") == [
        ["float32, no flips", "87.0 MB", "20.0", "50.0", "40.0", "800.0"],
        ["bfloat16, mean over flips (horizontal)", "43.6 MB", "25.0", "40.0", "60.0", "533.3"],
    ]
    text = " ".join(page.text.split())
    assert "the same best class for 98.0 %, largest difference of a score 0.012" in text
    assert "Batch of 1: 1.25 times the throughput, -10.0 ms." in text


def test_where_the_network_is_served_as_it_was_fitted_there_is_no_such_section() -> None:
    assert "The served network" not in Page(render(run())).text
