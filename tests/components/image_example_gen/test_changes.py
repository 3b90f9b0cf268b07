from __future__ import annotations

import pytest

from components.image_example_gen import changes
from components.image_example_gen.verdicts import Row
from serving.picture_conversion import DAMAGED, TRANSPARENT, TURNED
from serving.picture_settings import DEFAULT, PictureSettings
from serving.pictures import Picture


def row(*done: str, values: tuple[int, int] | None = None) -> Row:
    picture = Picture(b"", "png", 1, 1, 1, done, values)
    return {"file": f"cats/{'-'.join(done) or values}", **changes.row_of(picture)}


def test_what_keeps_its_bytes_leaves_no_entry() -> None:
    assert changes.row_of(Picture(b"", "png", 1, 1, 1)) == {}


def test_a_picture_counts_under_each_reason() -> None:
    rows = [row(), row(TURNED), row(TURNED, TRANSPARENT), row(TRANSPARENT, TURNED)]
    assert changes.by_reason(rows) == {TURNED: 3, TRANSPARENT: 2}


def test_what_a_person_may_want_otherwise_is_a_sentence() -> None:
    settings = PictureSettings(background=(0, 0, 255))
    said = [*changes.notes([row(TRANSPARENT), row(DAMAGED), row(TURNED)], settings)]
    assert said[0] == "1 picture is transparent: laid over #0000ff (image.background)."
    assert "damaged" in said[1] and "cats/" in said[1]
    assert len(said) == 2


@pytest.mark.parametrize(
    ("spans", "settings", "words"),
    [
        ([(3, 4071), (5, 100)], DEFAULT, ["2 pictures", "12 bits", "or to [0, 4095]", "black"]),
        ([(0, 1023)], DEFAULT, ["10 bits", "[0, 1023]"]),
        ([(0, 65000)], DEFAULT, ["upper 8 bits"]),
        ([(3, 4071)], PictureSettings(range=(0, 4095)), ["0 to 4,095 became black to white"]),
    ],
)
def test_16_bit_that_is_not_used_is_noticed(
    spans: list[tuple[int, int]], settings: PictureSettings, words: list[str]
) -> None:
    [said] = changes.notes([row(values=span) for span in spans], settings)
    assert all(word in said for word in words), said


def test_the_data_s_own_range_is_that_of_all_pictures_together() -> None:
    assert changes.measured([row(), row(values=(7, 900)), row(values=(2, 40))]) == (2, 900)
    assert changes.measured([row()]) is None
    assert changes.measured([row(values=(9, 9))]) == (9, 10)  # of one value: no division by zero
    assert changes.measured([row(values=(65535, 65535))]) == (65534, 65535)
