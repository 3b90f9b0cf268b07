from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image, ImageDraw

from pipeline import config as configuration
from pipeline.commands import init as init_command
from pipeline.commands import init_choices, init_source, init_speed
from tests.pipeline.conftest import Say


def noise(path: Path, grey: int, size: tuple[int, int] = (40, 40), seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = size
    pixels = np.random.default_rng(seed).normal(grey, 40, (height, width, 3))
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder; weights are at hand."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(init_command, "_weights", lambda: ("imagenet", "kept"))
    return folder


def written(say: Say, place: Path, code: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the chosen keys and the JSON of `init`."""
    got, out, err = say("init", place, "--no-measure", "--json")
    assert (got, err.strip()) == (code, "")
    document = json.loads(out)
    return yaml.safe_load(Path(document["config"]).read_text()), document


def reason(document: dict[str, Any], key: str) -> str:
    return next(row["reason"] for row in document["choices"] if row["key"] == key)


def test_many_small_classes_are_weighed_and_named(say: Say, tmp_path: Path) -> None:
    for label in range(8):
        for number in range(3 if label else 40):
            noise(tmp_path / "many" / f"kind {label}" / f"{number}.png", 20 * label, seed=number)
    config, document = written(say, tmp_path / "many")
    assert config["training"]["class_weights"] == "balanced"
    assert reason(document, "training.class_weights").endswith("1 to 32")
    assert "under 20 pictures: kind 1 (3)" in reason(document, "data.small_classes")
    assert config["training"]["batch_size"] == 4
    assert "small_classes" not in config["data"]  # a default: a comment alone
    assert "# small_classes: train" in Path(document["config"]).read_text()


def test_bright_icons_lie_on_black(say: Say, tmp_path: Path) -> None:
    for label, shape in enumerate(("ellipse", "rectangle")):
        (tmp_path / "Icons Set" / shape).mkdir(parents=True)
        for number in range(12):
            icon = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
            place = (number % 5, number // 5, 31 - number % 3, 31 - label)
            getattr(ImageDraw.Draw(icon), shape)(place, fill=(250, 250, 240 - number, 255))
            icon.save(tmp_path / "Icons Set" / shape / f"{number}.png")
    config, document = written(say, tmp_path / "Icons Set")
    assert (document["config"], config["pipeline_name"]) == ("icons-set.yaml", "icons-set")
    assert config["image"] == {"size": [96, 96], "background": "black"}
    assert "24 pictures have transparent pixels" in reason(document, "image.background")


def test_tiles_of_one_photograph_stay_together(say: Say, tmp_path: Path) -> None:
    for number in range(16):
        for column in range(4):
            name = f"photo{number}_r0000c{64 * column:04}.png"
            label = "wet" if number % 2 else "dry"
            noise(tmp_path / "tiles" / label / name, 100 + number, seed=10 * number + column)
    config, document = written(say, tmp_path / "tiles")
    assert "photo0_r0000c0000.png: 16 groups" in reason(document, "data.group_by")
    found = init_source.read(tmp_path / "tiles")
    ledger, _, _ = found.judged(configuration.build(config).data)
    splits: dict[str, set[str]] = {}
    for row in ledger.accepted:
        splits.setdefault(row["group"], set()).add(row["split"])
    assert len(splits) == 16 and all(len(each) == 1 for each in splits.values())


def test_a_labelling_tools_manifest_comes_before_its_folder(say: Say, tmp_path: Path) -> None:
    rows = []
    for number in range(30):
        noise(tmp_path / "set" / "images" / f"{number}.png", 100, (60, 120), seed=number)
        rows.append([f"images/{number}.png", ("ok", "scratch")[number % 2], "ann"])
    with (tmp_path / "set" / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["image", "label", "annotator"], *rows])
    config, _ = written(say, tmp_path / "set")
    assert config["data"]["source"] == str(tmp_path / "set" / "labels.csv")
    assert config["image"] == {"size": [128, 128], "fit": "pad"}
    by_file, _ = written(say, tmp_path / "set" / "labels.csv")
    assert by_file["data"] == config["data"]


def test_what_cannot_be_read_is_allowed_for_and_said(say: Say, tmp_path: Path) -> None:
    for number in range(20):
        noise(tmp_path / "pets" / "ab"[number % 2] / f"{number}.png", 100, seed=number)
    (tmp_path / "pets" / "a" / "broken.png").touch()
    config, document = written(say, tmp_path / "pets")
    assert config["data"]["max_rejected_fraction"] == 0.05
    assert document["would_stop"] is None


def test_a_file_that_is_there_stays_as_it_is(say: Say, tmp_path: Path, here: Path) -> None:
    for number in range(12):
        noise(tmp_path / "pets" / "ab"[number % 2] / f"{number}.png", 100, seed=number)
    (here / "pets.yaml").write_text("mine")
    code, out, err = say("init", tmp_path / "pets", "--no-measure")
    assert (code, out) == (2, "") and "--output" in err
    assert (here / "pets.yaml").read_text() == "mine"
    code, out, _ = say("init", tmp_path / "pets", "--no-measure", "--output", "b.yaml")
    assert (code, out.splitlines()[-1]) == (0, "Next: transfer-pipeline run --config b.yaml")


def test_models_go_to_one_place_wherever_the_run_is_started_and_names_are_readable(
    say: Say, tmp_path: Path, here: Path
) -> None:
    for number in range(12):
        noise(tmp_path / "pets" / ("Kätzchen", "b")[number % 2] / f"{number}.png", 100, seed=number)
    config, _ = written(say, tmp_path / "pets")
    for place in (config["push"]["directory"], config["runtime"]["root"]):
        assert Path(place).is_relative_to(here)
    assert "Kätzchen" in (here / "pets.yaml").read_text("utf-8")


def test_models_do_not_go_into_the_pictures(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        noise(tmp_path / "pets" / "ab"[number % 2] / f"{number}.png", 100, seed=number)
    monkeypatch.chdir(tmp_path / "pets")
    config, _ = written(say, tmp_path / "pets")
    for place in (config["push"]["directory"], config["runtime"]["root"]):
        assert not Path(place).is_relative_to(tmp_path / "pets") and Path(place).is_absolute()
    shutil.rmtree(tmp_path / "pets")


def test_the_plan_is_the_most_accurate_one_that_fits_the_time() -> None:
    def measure(backbone: str, size: int) -> float:
        return (0.03 if backbone == "inception_v3" else 0.005) * (size / 299) ** 2

    def plan(pictures: int, minutes: float, weights: str = "any") -> init_speed.Plan:
        return init_speed.plan(600, pictures, 60 * minutes, measure, weights)

    small, large = plan(200, 30), plan(20_000, 60)
    assert (small.backbone, small.size, small.unfrozen_epochs) == ("inception_v3", 299, 10)
    assert large.seconds is not None and large.seconds <= 3600
    assert large.size < 299 or large.backbone != "inception_v3"
    assert plan(20_000, 15).backbone == "mobilenet_v2"
    assert plan(20_000, 15, "one").backbone == "inception_v3"  # no others' weights are at hand
    assert init_speed.plan(64, 200, 600, None, "any").seconds is None
    assert init_speed.in_words(360) == "about 6 minutes"


def test_the_batch_leaves_a_dozen_steps() -> None:
    plan = init_speed.Plan("inception_v3", 299, 10, None, None)
    counts = {"train": {"a": 48, "b": 48}, "eval": {"a": 6, "b": 6}, "test": {"a": 6, "b": 6}}
    batch = next(init_choices.of_training(counts, plan))
    assert (batch.value, batch.reason, batch.default) == (8, "96 training pictures", False)
