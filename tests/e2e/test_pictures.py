"""Pictures of 12 bit in 16, transparent, turned and odd ones, from the folder to the client."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline.launch import environment
from serving.client import Client
from serving.local_server.process import serving
from tests.e2e.conftest import Place
from tests.serving.photographs import photograph
from tests.serving.samples import encode, exif, half_transparent, png

pytestmark = pytest.mark.slow

LEVELS = {"dark": (200, 900), "light": (3000, 3900)}  # of 4095: black, all of them, of 65535
FREE = ["gate.min_accuracy=0", "gate.min_class_recall=0", "gate.beats_majority_class=false"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    environment.prepare()
    folder = tmp_path_factory.mktemp("pictures")
    numbers = np.random.default_rng(0)
    for label, (low, high) in LEVELS.items():
        (folder / "data" / label).mkdir(parents=True)
        for number in range(40):
            values = numbers.integers(low, high, (36, 40)).astype(np.uint16)
            Image.fromarray(values).save(folder / "data" / label / f"{number:02}.png")
    for name, content in _odd().items():
        (folder / "data" / "dark" / name).write_bytes(content)
    return Place(folder / "data", folder / "root")


def _odd() -> dict[str, bytes]:
    data, palette = png(), png(Image.new("P", (32, 32)))
    found = palette.index(b"PLTE") - 4
    again = palette[found : palette.index(b"IDAT") - 4]
    cut, gif = encode(photograph(), "JPEG"), encode(photograph(grey=True), "GIF")
    return {
        "two-headers.png": data[:33] + data[8:],
        "two-palettes.png": palette[:-12] + again + palette[-12:],
        "damaged.gif": gif[:-1] + b"\0\0" + gif[-1:],  # Pillow passes over what begins no block
        "transparent.png": png(half_transparent()),
        "turned.jpg": encode(photograph(), "JPEG", exif=exif(6)),
        "cut.jpg": cut[: len(cut) // 2] + b"\xff\xd9",
        "odd.jpg": cut[:-2] + b"what may this be for?\xff\xd9",
    }


@pytest.fixture(scope="module")
def done(place: Place) -> dict[str, Any]:
    settings = ["image.range=data", "image.background=black", "data.max_rejected_fraction=0.05"]
    return place.run(*settings, *FREE)


def newest(place: Place, component: str, name: str) -> Path:
    folder = place.root / "image-classifier" / component / name
    return max(folder.iterdir(), key=lambda path: int(path.name))


def test_no_picture_that_was_accepted_ends_the_run(place: Place, done: dict[str, Any]) -> None:
    assert (done["verdict"], done["error"]) == ("pushed", None)
    report = json.loads(
        (newest(place, "ImageExampleGen", "ingest_report") / "report.json").read_text()
    )
    assert [row["file"] for row in report["rejected"]] == ["dark/cut.jpg"]
    assert report["accepted"] == 86
    assert report["encoded_anew"]["16 bit made 8"] == 80
    assert report["encoded_anew"]["in a form that the graph does not read"] == 3
    low, high = report["pictures"]["range"]
    assert (report["pictures"]["background"], low // 100, high // 100) == ("#000000", 2, 38)


def test_the_client_prepares_pictures_as_the_model_says(place: Place, done: dict[str, Any]) -> None:
    folder = newest(place, "Evaluator", "predictions")
    rows = [json.loads(line) for file in folder.glob("*.jsonl") for line in file.open()]
    classes = json.loads((folder / "models.json").read_text())["candidate"]["classes"]
    files = [place.pictures / row["file"] for row in rows]
    assert any(file.suffix == ".png" for file in files)
    with serving(Path(done["model_dir"])) as address, Client(address) as client:
        answers = client.classify(files)
        odd = [place.pictures / "dark" / name for name in _odd() if name != "cut.jpg"]
        assert len(client.classify(odd)) == len(odd)
    for row, answer in zip(rows, answers, strict=True):
        scores = dict(zip(answer.classes, answer.scores, strict=True))
        judged = [scores[name] for name in classes]
        np.testing.assert_allclose(judged, row["candidate"], atol=1e-4)


def test_another_background_ingests_anew(place: Place, done: dict[str, Any]) -> None:
    copy = Place(place.pictures, place.root)
    again = copy.run("image.range=data", "image.background=red", "data.max_rejected_fraction=0.05",
                     *FREE, to_node="ImageExampleGen")  # fmt: skip
    assert again["components"]["ImageExampleGen"]["state"] == "ran"
    shutil.rmtree(place.root)
