from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tfx.types import standard_artifacts

from components.image_example_gen import listing_handover
from components.image_example_gen.component import ImageExampleGen
from components.image_example_gen.sources import scan
from components.settings.data import Data
from tests import made_pictures
from tests.components import made_step
from tests.components.image_example_gen.memory_files import MemoryFiles

DATA = Data(source="mem://b")


@pytest.fixture(autouse=True)
def pictures(tmp_path: Path) -> Iterator[None]:
    MemoryFiles.clear()
    made_pictures.make(tmp_path / "pictures", 3)
    for path in (tmp_path / "pictures").glob("*/*"):
        MemoryFiles.content[f"mem://b/{path.parent.name}/{path.name}"] = path.read_bytes()
    yield
    MemoryFiles.clear()


def listed() -> int:
    return sum(MemoryFiles.listed.values())


@pytest.fixture
def outputs(tmp_path: Path) -> dict[str, list[Any]]:
    examples = standard_artifacts.Examples()
    examples.uri = str(tmp_path / "root" / "ImageExampleGen" / "examples" / "7")
    return {"examples": [examples]}


def driven(outputs: dict[str, list[Any]], run_id: str = "run-1") -> str:
    """The fingerprint that the driver finds."""
    info = made_step.about_to_run(
        ImageExampleGen, DATA, output_dict=outputs, pipeline_run_id=run_id
    )
    return made_step.driven(info)["fingerprint"]


def test_the_executor_reads_what_the_driver_listed(outputs: dict[str, list[Any]]) -> None:
    fingerprint = driven(outputs)
    assert listed() == 1
    found = listing_handover.listed(outputs, fingerprint, DATA)
    assert listed() == 1
    assert found == scan(DATA)
    assert found.fingerprint() == fingerprint


def test_the_driver_takes_the_listing_that_its_run_s_command_made(
    outputs: dict[str, list[Any]], tmp_path: Path
) -> None:
    node = str(tmp_path / "root" / listing_handover.NODE)
    fingerprint = listing_handover.keep(scan(DATA), node, "run-1")
    assert (driven(outputs), listed()) == (fingerprint, 1)


def test_another_run_lists_anew_and_sees_the_change(outputs: dict[str, list[Any]]) -> None:
    before = driven(outputs)
    MemoryFiles.content["mem://b/red/new.png"] = b"new"
    assert driven(outputs, "run-2") != before


def test_a_lost_listing_is_made_anew(outputs: dict[str, list[Any]], tmp_path: Path) -> None:
    fingerprint = driven(outputs)
    [kept] = (tmp_path / "root" / "ImageExampleGen" / ".system" / "listings").glob("*.listing")
    kept.unlink()
    assert listing_handover.listed(outputs, fingerprint, DATA).fingerprint() == fingerprint


def test_without_an_earlier_ingest_the_splits_build_on_nothing(
    outputs: dict[str, list[Any]],
) -> None:
    info = made_step.about_to_run(
        ImageExampleGen, DATA, output_dict=outputs, pipeline_run_id="run-1"
    )
    assert made_step.driven(info)["previous"] == ""
