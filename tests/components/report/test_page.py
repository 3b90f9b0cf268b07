from __future__ import annotations

import dataclasses
import re
import unicodedata
from typing import Any

import pytest

from components.report.card import card
from components.report.page import SECTIONS, render
from components.report.page_data import Run
from tests.components.report.made_run import CLASSES, EXPORT, Page, picture, row, run

HOSTILE = ['<script>alert("1")</script>', "a' onerror='x", "{{ 7 * 7 }}", "苹果 & 🍎"]


def with_verdict(made: Run, pushed: str | None = None, **changes: Any) -> Page:
    changed = dataclasses.replace(made, verdict=made.verdict | changes, pushed_version=pushed)
    return Page(render(changed))


def alts(page: Page) -> list[str]:
    return [attributes["alt"] or "" for tag, attributes in page.tags if tag == "img"]


def test_every_section_is_there() -> None:
    page = Page(render(dataclasses.replace(run(), export=EXPORT)))
    ids = [attributes["id"] for tag, attributes in page.tags if tag == "section"]
    assert ids == [section.name for section in SECTIONS]


def test_heat_maps_that_are_left_out_are_told_with_the_reason() -> None:
    reason = "The last feature map has 1 x 1 places."
    html = render(dataclasses.replace(run(), heat_maps={}, no_heat_maps=reason))
    assert f"Grad-CAM is left out. {reason}" in html and "the brighter a place" not in html


def test_the_page_says_what_to_do_about_the_training() -> None:
    made = run()
    rows = [row | {"accuracy": 0.71, "val_accuracy": 0.47} for row in made.history["epochs"]]
    best = next(row for row in rows if row["epoch"] == made.history["best"]["epoch"])
    html = render(dataclasses.replace(made, history=made.history | {"epochs": rows, "best": best}))
    assert "What to do about it" in html and "71 % on train and 47 % on eval" in html


def test_the_model_card_holds_no_raw_control_characters() -> None:
    hostile = "x\x1b]0;owned\x07\u202e\r\n# y\x00"
    made = run([hostile, "pear"])
    metrics = {"candidate": made.verdict["metrics"]["candidate"]}
    missed = row(hostile, hostile, 0.1, hostile, False)
    verdict = {"bless_reason": hostile, "notes": [hostile], "gate": [missed], "metrics": metrics}
    changes = {"run_id": hostile, "pushed_version": hostile, "versions": {hostile: hostile}}
    configuration = made.configuration | {"pipeline_name": hostile}
    text = card(
        dataclasses.replace(
            made, verdict=made.verdict | verdict, configuration=configuration, **changes
        )
    )
    assert r"x\\x1b" in text and "owned" in text
    unseen = [sign for sign in text if unicodedata.category(sign) in ("Cc", "Cf")]
    assert set(unseen) == {"\n"}
    assert "\n# y" not in text


def test_all_tables_by_class_follow_the_class_list() -> None:
    classes = ["zebra", "Ape", "mole"]  # in no order, so that following it is no accident
    html = render(run(classes))
    page = Page(html)
    tables = [rows[1:] for rows in page.tables if rows[0][0] == "Class"]
    assert len(tables) == 2
    for table in tables:
        assert [cells[0] for cells in table][:3] == classes
    assert [cells[1] for cells in page.table("Metric")] == ["overall", *classes]
    figures = "".join(re.findall("<svg.*?</svg>", html, re.DOTALL))
    assert re.findall(">(zebra|Ape|mole)<", figures) == 2 * classes


def test_the_gate_shows_every_row_in_words() -> None:
    made = run()
    rows = Page(render(made)).table("Metric")
    assert [cells[1] for cells in rows] == [row["slice"] for row in made.verdict["gate"]]
    found = [cells[4] for cells in rows]
    words = {True: "✓ passed", False: "✗ failed"}
    assert found == [words[row["passed"]] for row in made.verdict["gate"]]
    assert rows[1][:4] == ["recall", "apple", "0.25000.2000 to 0.9000", ">= 0.5"]


def test_a_recall_that_was_not_measured_is_shown_as_such_and_is_not_the_lowest() -> None:
    made = run()
    unmeasured = row("recall", "apple", None, ">= 0.5 (no test pictures)", False)
    gate = [unmeasured if known["slice"] == "apple" else known for known in made.verdict["gate"]]
    metrics = made.verdict["metrics"]["candidate"]
    recall = {**metrics["class_recall"], "apple": None}
    changed = {**metrics, "class_recall": recall, "intervals": {}}
    page = with_verdict(made, gate=gate, metrics={"candidate": changed})
    assert page.table("Metric")[1][1:4] == ["apple", "–", ">= 0.5 (no test pictures)"]


def test_of_many_thresholds_only_what_classes_have_reached_is_folded() -> None:
    classes = [f"c{number:02}" for number in range(40)]
    rows = [row("recall", name, 0.4, ">= 0.5", name == "c07") for name in classes]
    rows = [row("accuracy", "overall", 0.9, ">= 0.8", True), *rows]
    page = with_verdict(run(classes), gate=rows)
    shown, folded = (table[1:] for table in page.tables if table[0][0] == "Metric")
    assert [cells[1] for cells in folded] == ["c07"]
    assert [cells[1] for cells in shown] == ["overall", *classes[:7], *classes[8:]]


def test_counts_and_rejects_are_those_of_the_ingest() -> None:
    page = Page(render(run()))
    data = next(rows for rows in page.tables if rows[0][1:4] == ["train", "eval", "test"])
    assert data[1] == ["apple", "80", "10", "20", "110", "32.4 %", "1"]
    assert data[-1] == ["All", "243", "33", "63", "339", "", "1"]
    assert page.table("File") == [["pear/x.png", "empty file"]]


def with_data(**changes: Any) -> Page:
    return Page(render(dataclasses.replace(run(), **changes)))


def test_imbalance_is_named_and_weights_are_shown_where_they_are_used() -> None:
    ingest = run().ingest
    counts = {
        "train": {"apple": 60, "pear": 30, "quince": 10},
        "eval": {"apple": 6, "pear": 3, "quince": 1},
        "test": {"apple": 6, "pear": 3, "quince": 1},
    }
    weighed = run().configuration | {"training": {"class_weights": "balanced", "seed": 0}}
    page = with_data(ingest=ingest | {"counts": counts}, configuration=weighed)
    text = " ".join(page.text.split())
    assert "The largest class, apple, has 6.0 times the pictures of the smallest, quince." in text
    table = next(rows for rows in page.tables if rows[0][1:4] == ["train", "eval", "test"])
    assert table[0][4:] == ["Total", "Share", "Weight", "Rejected"]
    assert [cells[5:7] for cells in table[1:4]] == [
        ["60.0 %", "0.56"],
        ["30.0 %", "1.11"],
        ["10.0 %", "3.33"],
    ]


def test_what_was_noted_and_what_is_like_another_is_shown() -> None:
    near = [{"file": f"test/{number}.png", "like": "train/1.png"} for number in range(30)]
    changes = {
        "notes": ["The source gives no test split: cut out of train."],
        "near_duplicates": {"count": 30, "listed": near},
        "duplicates": {"count": 1, "listed": [{"file": "a/2.png", "like": "a/1.png"}]},
    }
    page = with_data(ingest=run().ingest | changes)
    text = " ".join(page.text.split())
    assert "1 file rejected (1 empty file), 4 ignored" in text.replace("( ", "(")
    assert "The source gives no test split: cut out of train." in text
    assert "30 pictures of eval or test look like one of a split" in text
    assert "The first 20:" in text
    near_rows, same_rows = (rows[1:] for rows in page.tables if rows[0] == ["Picture", "Is like"])
    assert (len(near_rows), same_rows) == (20, [["a/2.png", "a/1.png"]])


def test_near_duplicates_are_shown_as_pairs_of_pictures_with_their_distance() -> None:
    near = [{"file": "test/1.png", "like": "train/1.png", "bits": 7}]
    seen = {"test/1.png": picture(), "train/1.png": picture()}
    made = run()
    found = {"count": 1, "in_test": 1, "listed": near}
    ingest = {**made.ingest, "near_duplicates": found}
    page = Page(render(dataclasses.replace(made, ingest=ingest, alike=seen)))
    alts = [attributes.get("alt") for tag, attributes in page.tags if tag == "img"]
    assert alts.count("test/1.png") == alts.count("train/1.png") == 1
    assert "7 of 256 bits apart" in page.text


@pytest.mark.parametrize(("in_test", "told"), [(3, False), (30, True)])
def test_many_near_duplicates_in_test_stand_beside_the_accuracy(in_test: int, told: bool) -> None:
    made = run()
    found = {"count": in_test, "in_test": in_test, "listed": []}
    page = Page(render(dataclasses.replace(made, ingest={**made.ingest, "near_duplicates": found})))
    assert (f"{in_test} of them look like a picture of train or eval" in page.text) == told


def test_findings_stand_with_what_the_data_was_compared_with() -> None:
    found = {"check": "new_classes", "stops": False, "text": "Classes that are new: 'fig'."}
    acceptance = {"compared_with": "2026-11-15 06:00 UTC", "findings": [found]}
    text = with_data(acceptance=acceptance).text
    assert "accepted on 2026-11-15 06:00 UTC:" in text
    assert "Classes that are new: 'fig'." in text
    assert "No earlier data to compare with." in Page(render(run())).text


@pytest.mark.parametrize(
    ("verdict", "served", "pushed", "word", "sentence"),
    [
        ("passed", None, "7", "Pushed", "It reached all 1 thresholds and was pushed as version 7."),
        ("passed", None, None, "Passed", "It reached all 1 thresholds of the gate."),
        ("passed", "3", "", "Not pushed", "It reached all thresholds, but is the model served"),
        ("refused", None, "", "Refused", "It missed 0 of 1 thresholds."),
        ("refused", "3", None, "Refused", "Version 3 stays served."),
        ("unchanged", "3", "", "Unchanged", "This is the model served already, version 3."),
    ],
)
def test_the_headline_says_what_became_of_the_model(
    verdict: str, served: str | None, pushed: str | None, word: str, sentence: str
) -> None:
    gate = [row("accuracy", "overall", 0.9, ">= 0.8", True)]
    made = with_verdict(run(), pushed, verdict=verdict, served_version=served, gate=gate)
    assert made.heading == word
    assert sentence in made.text


def test_the_served_model_is_compared_where_it_was_measured() -> None:
    made = run()
    served = made.verdict["metrics"]["candidate"] | {"accuracy": 0.4567}
    measured = made.verdict["metrics"] | {"baseline": served}
    page = with_verdict(made, metrics=measured, served_version="3")
    assert "45.7 %" in page.text
    assert "accuracy of version 3" in page.text


def test_hostile_names_are_text() -> None:
    made = run(HOSTILE)
    html = render(made)
    page = Page(html)
    assert {"script", "link", "iframe"}.isdisjoint(tag for tag, _ in page.tags)
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert [cells[0] for cells in page.table("Class")] == [*HOSTILE, "Mean"]
    label = made.classes[made.mistakes[0].label]
    assert alts(page)[0].startswith(f"{made.mistakes[0].file}: {label}")


def test_what_can_not_be_seen_in_a_name_is_escaped() -> None:
    html = render(run(["a\u202eb", "c\x1b[31m", "d\ne", "$f$"]))
    assert "\u202e" not in html and "\x1b" not in html
    assert all(name in html for name in (r"a\u202eb", r"c\x1b[31m", r"d\ne", "$f$"))


def test_nothing_refers_to_another_file_or_to_the_network() -> None:
    html = render(run())
    for tag, attributes in Page(html).tags:
        for name in ("src", "href", "xlink:href", "srcset", "data", "action", "poster"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/")), (tag, name)
    assert re.findall(r"@import|url\((?!#)", html) == []


def test_every_picture_has_words_for_those_who_cannot_see_it() -> None:
    page = Page(render(run()))
    pictures = [attributes for tag, attributes in page.tags if tag in ("img", "svg")]
    assert len(pictures) > 3
    assert all(attributes.get("alt") or attributes.get("aria-label") for attributes in pictures)


def test_at_most_twelve_mistakes_are_shown_small_and_the_worst_first() -> None:
    made = run(pictures=200, right=0.5)
    page = Page(render(made))
    images = [
        attributes
        for tag, attributes in page.tags
        if tag == "img" and "taken for" in (attributes["alt"] or "")
    ]
    assert len(images) == 12
    assert f"taken for {made.classes[made.mistakes[0].predicted]}" in page.text
    assert all(len(attributes["src"] or "") < 50_000 for attributes in images)


def test_without_a_mistake_the_page_says_so() -> None:
    page = Page(render(run(pictures=30, right=1.0)))
    assert "all 30 test pictures were classified correctly" in page.text
    assert not [alt for alt in alts(page) if "taken for" in alt]


def test_a_thousand_classes_give_pairs_instead_of_a_matrix_and_stay_small() -> None:
    classes = [f"class {number:04}" for number in range(1000)]
    html = render(run(classes, pictures=2000))
    pairs = Page(html).table("True class")
    assert 0 < len(pairs) <= 30
    assert len(html) < 2_000_000


def test_the_command_names_the_push_directory_as_a_shell_takes_it() -> None:
    assert "transfer-pipeline serve --model-dir '/srv/my models'" in Page(render(run())).text


def test_the_configuration_is_shown_as_the_file_that_it_could_be() -> None:
    page = Page(render(run()))
    assert "push:\n  directory: /srv/my models\n" in page.text
    assert CLASSES[0] not in page.text.split("Configuration")[-1]
