"""Photographs that a phone's EXIF turns: hardly dearer than the same ones upright."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.settings.data import Data
from pipeline.commands.check import check
from pipeline.launch import environment
from tests.e2e.conftest import Place
from tests.serving.samples import encode, exif

pytestmark = pytest.mark.slow

_PIXELS = (4032, 3024)
_UPRIGHT, _TURNED = 1, 6


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Two classes of three photographs of 12 megapixels, by what EXIF says of them."""
    place = tmp_path_factory.mktemp("turned")
    random = np.random.default_rng(0)
    for at in range(6):
        noise = Image.fromarray(random.normal(128, 60, (378, 504)).clip(0, 255).astype(np.uint8))
        grey = noise.resize(_PIXELS, Image.Resampling.BICUBIC)
        whole = Image.merge("RGB", [grey] * 3)
        data = encode(whole, "JPEG", quality=92, exif=exif(_UPRIGHT))
        for orientation in (_UPRIGHT, _TURNED):
            file = place / str(orientation) / ("cat", "dog")[at % 2] / f"{at}.jpg"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data.replace(exif(_UPRIGHT), exif(orientation)))
    return {orientation: place / str(orientation) for orientation in (_UPRIGHT, _TURNED)}


def test_they_are_ingested_in_fewer_bytes_than_one_and_a_half_times_their_own(
    folders: dict[int, Path], tmp_path: Path
) -> None:
    environment.prepare()
    place = Place(folders[_TURNED], tmp_path / "root")
    found = place.run("training.batch_size=1", to_node="ImageExampleGen")
    assert found["error"] is None
    root = tmp_path / "root" / "image-classifier" / "ImageExampleGen"
    [report] = root.glob("ingest_report/*/report.json")
    assert json.loads(report.read_text())["encoded_anew"] == {"turned upright by EXIF": 6}
    ingested = sum(file.stat().st_size for file in root.glob("examples/*/Split-*/*"))
    own = sum(file.stat().st_size for file in folders[_TURNED].glob("*/*"))
    assert 0 < ingested < 1.5 * own


def test_they_take_less_than_twice_the_time(
    folders: dict[int, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Of this process alone, and the best of three: 1.5 times was measured."""
    seconds: dict[int, list[float]] = {_UPRIGHT: [], _TURNED: []}
    for _ in range(3):
        for orientation, folder in folders.items():
            began = time.process_time()
            check(Data(source=str(folder)), as_json=True)
            seconds[orientation].append(time.process_time() - began)
            found = json.loads(capsys.readouterr().out)
            assert found["accepted"] == 6
    assert min(seconds[_TURNED]) < 2 * min(seconds[_UPRIGHT])
