from __future__ import annotations

import dataclasses

from components.report.page import render
from tests.components.report.made_run import Page, run


def test_the_files_stand_with_what_was_measured_and_why_one_was_not_kept() -> None:
    page = Page(render(run()))
    same = ["6.4 MB", "50", "98.0 %", "0.012"]
    assert page.table("For devices") == [
        ["model-float16.tflite", *same, "yes"],
        ["model-int8.tflite", *same, "no: a score differs by 0.500"],
    ]
    text = " ".join(page.text.split())
    assert "one picture of 30 x 40 pixels" in text
    assert "ls '/runs/my files'" in text


def test_where_there_are_none_there_is_no_such_section() -> None:
    page = Page(render(dataclasses.replace(run(), lite={})))
    assert "Files for devices" not in page.text
