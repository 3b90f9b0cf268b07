"""Names that hold anything, and what became of the pictures from one run to the next."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from components.artifacts import types as artifact_types
from tests import made_pictures
from tests.e2e.conftest import Place

pytestmark = pytest.mark.slow

_LENIENT = "gate={min_accuracy: 0, min_class_recall: 0, beats_majority_class: false}"
_STRANGE = {"green": "[draft]", "red": "a\nb\x1b[31m\u202e"}


def test_strange_names_come_through_and_a_renamed_class_keeps_its_weights(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pictures = made_pictures.make(tmp_path / "pictures", 40)
    for old, new in _STRANGE.items():
        (pictures / old).rename(pictures / new)
    blue = os.fsencode(pictures / "blue")
    for number in range(3):
        os.rename(blue + b"/%03d.png" % number, blue + b"/caf\xe9\n<b>%d.png" % number)
    place = Place(pictures, tmp_path / "root")

    first = place.run(_LENIENT)
    assert first["verdict"] == "pushed", first["error"]
    assert set(first["metrics"]["class_recall"]) == {"blue", *_STRANGE.values()}
    told = capfd.readouterr().out
    report, log = Path(first["report"]), Path(first["log"])
    written = [path.read_text("utf-8") for path in (report, report.with_name("model_card.md"))]
    for text in (told, log.read_text("utf-8", "replace"), *written):
        assert "\x1b" not in text and "\u202e" not in text
    assert "[draft]" in told and r"a\nb\x1b[31m\u202e" in told
    json.dumps(first, ensure_ascii=False).encode()

    (pictures / "blue").rename(pictures / "azure")
    for number in range(10, 20):
        (pictures / "[draft]" / f"{number:03}.png").rename(pictures / "azure" / f"x{number}.png")
    second = place.run(_LENIENT, "training.warm_start=true", to_node="Trainer")
    told = capfd.readouterr().out
    assert second["error"] is None, second["error"]
    assert "Class 'blue' is called 'azure' now, by its pictures." in told
    assert "10 relabelled, 0 added, 0 gone since the data accepted on" in told
    acceptances = (place.root / "image-classifier" / "DataValidator" / "acceptance").iterdir()
    newest = artifact_types.DataAcceptance()
    newest.uri = str(max(acceptances, key=lambda path: int(path.name)))
    assert artifact_types.read(newest)["former_names"] == {"azure": ["blue"]}
