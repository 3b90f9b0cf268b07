"""What `init` writes for folders as people have them, `run` takes to a verdict as it stands."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image, ImageDraw

from pipeline import cli
from pipeline.commands import init as init_command
from pipeline.commands import init_speed
from pipeline.launch import environment

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, on a slow machine without weights."""
    environment.prepare()
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(init_command, "_weights", lambda: (None, "none can be had here"))
    plan = init_speed.plan

    def small(size: int, pictures: int, budget: float, *_: object) -> init_speed.Plan:
        return plan(size, pictures, budget, lambda backbone, side: 9.0, "any")

    monkeypatch.setattr(init_speed, "plan", small)
    return folder


def icons(folder: Path) -> Path:
    """Many small classes of icons with alpha: 1 to 12 of a class."""
    for label in range(12):
        place = folder / f"icon {label:02}"
        place.mkdir(parents=True)
        for number in range(label + 1):
            icon = Image.new("RGBA", (48, 48), (0, 0, 0, 0))
            shape = ("ellipse", "rectangle")[label % 2]
            colour = (20 * label, 255 - 20 * label, 10 * number, 255)
            getattr(ImageDraw.Draw(icon), shape)((number, 2, 40, 30 + label), fill=colour)
            icon.save(place / f"{number}.png")
    return folder


def tiles(folder: Path) -> Path:
    """Tiles of photographs with the CSV of a labelling tool."""
    random, rows = np.random.default_rng(0), []
    (folder / "images").mkdir(parents=True)
    for photo in range(20):
        label = ("dry", "wet")[photo % 2]
        for column in (0, 48, 96):
            pixels = random.normal(90 + 80 * (photo % 2), 25, (48, 48, 3)).clip(0, 255)
            file = folder / "images" / f"photo{photo:02}_r0000c{column:04}.png"
            Image.fromarray(pixels.astype(np.uint8)).save(file)
            rows.append([f"images/{file.name}", label, "ann"])
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["image", "label", "annotator"], *rows])
    return folder


@pytest.mark.parametrize(
    ("make", "chosen"),
    [
        (icons, {"training": "class_weights", "data": "source"}),
        (tiles, {"data": "group_by"}),
    ],
)
def test_the_configuration_of_init_runs_to_a_verdict_without_another_word(
    make: Any,
    chosen: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def typed(*words: str) -> dict[str, Any]:
        monkeypatch.setattr(sys, "argv", ["transfer-pipeline", *words, "--json"])
        with pytest.raises(SystemExit):
            cli.main()
        found: dict[str, Any] = json.loads(capfd.readouterr().out.splitlines()[-1])
        return found

    written = typed("init", str(make(tmp_path / "set")))
    assert written["would_stop"] is None
    config = yaml.safe_load(Path(written["config"]).read_text())
    for section, key in chosen.items():
        assert key in config[section]
    command, *words = written["next"].split()
    assert command == "transfer-pipeline"
    result = typed(*words)
    assert result["verdict"] in ("pushed", "refused"), result["error"]
    assert result["error"] is None and result["gate"]
