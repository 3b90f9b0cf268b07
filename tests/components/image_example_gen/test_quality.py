from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, ImageFilter

from components.image_example_gen import quality
from components.image_example_gen.quality_report import document, notes
from components.image_example_gen.verdicts import Row
from serving.picture_measures import small_grey

RANDOM = np.random.default_rng(0)


def picture(level: float, spread: float = 40, size: tuple[int, int] = (120, 90)) -> Image.Image:
    noise = RANDOM.normal(level, spread, size[::-1])
    return Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8))


def row(image: Image.Image, file: str, label: str = "cats", length: int = 5_000) -> Row:
    measured = quality.row_of(small_grey(image), image.size, length)
    return {"file": file, "label": label, "sha256": file, "split": "train", **measured}


def ordinary(level: float = 128, label: str = "cats", number: int = 60) -> list[Row]:
    return [
        row(picture(level + RANDOM.normal(0, 6)), f"{label}/{at}.png", label)
        for at in range(number)
    ]


@pytest.mark.parametrize(
    ("kind", "odd"),
    [
        ("dark", picture(20, 10)),
        ("light", picture(235, 10)),
        ("blurred", picture(128, 200).filter(ImageFilter.GaussianBlur(4))),
        ("low in contrast", picture(128, 4)),
        ("odd in size", picture(128, size=(1200, 900))),
        ("odd in shape", picture(128, size=(300, 36))),
        ("of one colour", Image.new("L", (120, 90), 128)),
    ],
)
def test_each_kind_is_found_with_its_class(kind: str, odd: Image.Image) -> None:
    found = document([*ordinary(), row(odd, "odd.png", "dogs")])
    assert found["counts"][kind] == {"dogs": 1}
    assert found["listed"][kind] == [{"file": "odd.png", "label": "dogs"}]
    assert any(f"1 {kind} (odd.png)" in note for note in notes(found))


@pytest.mark.parametrize("level", [30, 128, 225])
def test_a_set_that_is_dark_or_light_throughout_is_not_unusual(level: float) -> None:
    found = document(ordinary(level))
    assert found["counts"] == {} and not list(notes(found))


def shortcuts(rows: Sequence[Row]) -> dict[str, tuple[float, float]]:
    return {
        each["by"]: (each["accuracy"], each["majority"]) for each in document(rows)["shortcuts"]
    }


def test_brightness_that_tells_the_class_is_told() -> None:
    rows = [*ordinary(90, "cats"), *ordinary(170, "dogs")]
    accuracy, majority = shortcuts(rows)["brightness and contrast"]
    assert accuracy > 0.95 and majority == 0.5
    (told,) = notes(document(rows))
    assert told.startswith("Brightness and contrast alone tell the class of")


def test_size_that_tells_the_class_is_told() -> None:
    small = [row(picture(128, size=(100, 90)), f"a{at}", "cats") for at in range(40)]
    large = [row(picture(128, size=(120, 100)), f"b{at}", "dogs") for at in range(40)]
    found = shortcuts([*small, *large])
    assert found["size and shape"][0] > 0.95
    assert found["brightness and contrast"][0] < 0.75
    assert any(
        note.startswith("Size and shape alone") for note in notes(document([*small, *large]))
    )


def test_classes_that_differ_in_neither_have_no_shortcut() -> None:
    rows = [*ordinary(128, "cats"), *ordinary(128, "dogs")]
    assert not list(notes(document(rows)))
    assert all(accuracy < 0.7 for accuracy, _ in shortcuts(rows).values())


def test_the_run_before_stands_beside_it() -> None:
    before = document([*ordinary(), row(picture(20, 10), "odd.png")])
    found = document(ordinary(), before)["before"]
    assert found["counts"] == {"dark": {"cats": 1}} or found["counts"]["dark"] == {"cats": 1}
    assert "listed" not in found
    assert document([]) == {}
