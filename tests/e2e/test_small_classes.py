"""Small classes, new ones among them, don't stop a run, and no picture changes its split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from components.artifacts import ledger_rows
from pipeline.commands.run import Request, execute
from pipeline.launch import environment
from tests import made_pictures
from tests.e2e.conftest import SMALL

pytestmark = pytest.mark.slow

_WORDS = [*SMALL, "training.frozen.epochs=1", "training.unfrozen.epochs=0", "report.heat_maps=0"]


def _run(source: str, root: Path, *assignments: str) -> dict[str, Any]:
    environment.prepare()
    request = Request(data=source, root=str(root), assignments=[*_WORDS, *assignments])
    return execute(request)


def _splits(root: Path) -> dict[str, str]:
    """The split of each picture by the newest ledger, by its content."""
    folder = root / "image-classifier" / "ImageExampleGen" / "ingest_report"
    newest = max(folder.glob("*/ledger*"), key=lambda path: int(path.parent.name)).parent
    rows = ledger_rows.read(str(newest))
    return {row["sha256"]: row["split"] for row in rows if "split" in row}


def test_ninety_nine_classes_of_1_to_259_pictures_run_to_a_verdict(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for number in range(99):
        folder = tmp_path / "pictures" / f"c{number:02}"
        folder.mkdir(parents=True)
        colour = random.integers(0, 256, 3)
        for picture in range(1 + number * 258 // 98 // 6):  # a sixth: the shape is what matters
            pixels = np.clip(colour + random.normal(0, 20, (12, 12, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{picture}.png")
    result = _run(str(tmp_path / "pictures"), tmp_path / "root", "gate.min_accuracy=0")
    assert result["verdict"] in ("pushed", "refused"), result["error"]
    rows = {row["slice"]: row for row in result["gate"] if row["metric"] == "recall"}
    assert len(rows) == 99
    assert rows["c00"]["passed"] and "too few to tell (0 of 0)" in rows["c00"]["needed"]


def test_a_new_class_of_four_pictures_stops_no_week_and_the_others_stay_where_they_were(
    tmp_path: Path,
) -> None:
    source, root = str(tmp_path / "week-{SPAN}"), tmp_path / "root"
    words = ("data.window=2", "gate.min_accuracy=0", "gate.beats_majority_class=false")
    made_pictures.make(tmp_path / "week-1", 20, seed=1)
    first = _run(source, root, *words)
    assert first["verdict"] == "pushed", first
    before = _splits(root)

    made_pictures.make(tmp_path / "week-2", 13, seed=2)
    bird = made_pictures.make(tmp_path / "new", 4, seed=3) / "red"
    bird.rename(tmp_path / "week-2" / "bird")
    second = _run(source, root, *words)
    assert second["error"] is None
    after = _splits(root)
    assert {content: after[content] for content in before} == before
    [row] = [row for row in second["gate"] if (row["metric"], row["slice"]) == ("recall", "bird")]
    assert row["passed"] and "too few to tell (" in row["needed"]

    again = _run(source, root, *words)
    assert again["components"]["ImageExampleGen"]["state"] == "cached"
    assert _splits(root) == after
