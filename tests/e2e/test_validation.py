"""Data that is not what it was stops the run before training, or is told, as configured."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from pipeline.commands.run import run
from tests import made_pictures
from tests.e2e.conftest import Place

LAST = "Transform"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A root whose last run accepted 40 pictures of each colour."""
    made = Place(made_pictures.make(tmp_path / "pictures", 40), tmp_path / "root")
    assert made.run(to_node=LAST)["error"] is None
    return made


def _state(result: dict, node: str) -> str:
    return result["components"][node]["state"]


def _add_class(pictures: Path) -> None:
    (pictures / "yellow").mkdir()
    for path in (pictures / "blue").iterdir():
        ImageOps.invert(Image.open(path)).save(pictures / "yellow" / path.name)


def _treble_red(pictures: Path) -> None:
    more = made_pictures.make(pictures.parent / "more", 80, seed=1)
    for path in (more / "red").iterdir():
        shutil.move(path, pictures / "red" / f"more-{path.name}")


def test_a_vanished_class_stops_every_run_until_it_is_accepted_once(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(place.pictures / "red")
    for _ in range(2):
        assert run(place.request()) == 1
        said = capfd.readouterr().out
        assert "Classes that vanished: 'red' (40 pictures)." in said
        assert "--set validation.vanished_classes=report" in said
    result = place.run(to_node=LAST)
    assert (_state(result, "DataValidator"), _state(result, LAST)) == ("failed", "skipped")
    page = Path(result["report"]).read_text("utf-8")  # a run that failed has one, too
    assert "Failed" in page and "Classes that vanished" in page

    accepted = place.run("validation.vanished_classes=report", to_node=LAST)
    assert _state(accepted, "DataValidator") == "ran"
    assert _state(accepted, LAST) != "skipped"
    assert place.run(to_node=LAST)["error"] is None


def test_a_new_class_is_told_by_every_run_and_stops_none(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    assert _state(place.run(to_node=LAST), "DataValidator") == "cached"
    assert "Note: Classes that are new" not in capfd.readouterr().out
    _add_class(place.pictures)
    for state in ("ran", "cached"):
        assert _state(place.run(to_node=LAST), "DataValidator") == state
        assert "Note: Classes that are new: 'yellow' (40 pictures)." in capfd.readouterr().out


def test_drift_over_the_threshold_stops_where_the_configuration_says_so(place: Place) -> None:
    _treble_red(place.pictures)
    stopped = place.run("validation.label_drift=stop", to_node=LAST)
    assert "The share of class 'red' went from 33.3 % to 60.0 %" in stopped["error"]
    assert place.run("validation.max_label_drift=0.3", to_node=LAST)["error"] is None


def test_pictures_out_of_range_are_named(place: Place) -> None:
    small = place.pictures / "red" / "small.png"
    Image.new("RGB", (60, 30), (200, 50, 40)).save(small)
    stopped = place.run("validation.min_side=40", "validation.max_side=50", to_node=LAST)
    assert "validation.max_side (50): red/small.png (30 x 60)." in stopped["error"]
    assert "001.png" not in stopped["error"]
