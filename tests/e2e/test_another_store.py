"""A root whose metadata store was moved away, or that lies elsewhere now, keeps what it knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.artifacts import ledger_rows
from pipeline.launch import environment
from tests import made_pictures
from tests.e2e.conftest import Place

pytestmark = pytest.mark.slow

_LAST = "ImageExampleGen"


def _splits(report: Path) -> dict[str, str]:
    rows = ledger_rows.read(str(report), ("sha256", "split"))
    return {row["sha256"]: row["split"] for row in rows if "split" in row}


def _reports(root: Path) -> list[Path]:
    found = (root / "image-classifier" / _LAST / "ingest_report").iterdir()
    return sorted(found, key=lambda folder: (folder / "report.json").stat().st_mtime_ns)


def _new_week(place: Place, seed: int) -> None:
    """Half of the pictures go, others come."""
    for path in sorted(place.pictures.glob("*/*"))[::2]:
        path.unlink()
    more = place.pictures.with_name(f"more-{seed}")
    made_pictures.make(more, 20, seed=seed)
    for path in more.glob("*/*"):
        path.rename(place.pictures / path.parent.name / f"{seed}-{path.name}")


def test_splits_are_kept_and_no_output_is_overwritten(tmp_path: Path) -> None:
    environment.prepare()
    place = Place(made_pictures.make(tmp_path / "pictures", 20, seed=1), tmp_path / "root")
    assert place.run(to_node=_LAST)["error"] is None
    [first] = _reports(place.root)
    before = _splits(first)

    (place.root / "metadata.sqlite").rename(tmp_path / "damaged")
    _new_week(place, 2)
    assert place.run(to_node=_LAST)["error"] is None
    earlier, second = _reports(place.root)
    assert earlier.name == f"{first.name}.earlier" and second.name == first.name
    assert _splits(earlier) == before
    after = _splits(second)
    known = after.keys() & before.keys()
    assert len(known) > 20 and {key: after[key] for key in known} == {
        key: before[key] for key in known
    }

    moved = Place(place.pictures, place.root.rename(tmp_path / "elsewhere"))
    _new_week(moved, 3)
    assert moved.run(to_node=_LAST)["error"] is None
    third = _splits(_reports(moved.root)[-1])
    both = {**before, **after}
    known = third.keys() & both.keys()
    assert len(known) > 20 and {key: third[key] for key in known} == {
        key: both[key] for key in known
    }
    count = len(_reports(moved.root))
    assert moved.run(to_node=_LAST)["error"] is None
    assert len(_reports(moved.root)) == count  # the cache has it
