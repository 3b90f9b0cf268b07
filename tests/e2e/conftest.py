"""One pipeline run that the end-to-end tests share; importing TFX alone takes half a minute."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.commands.run import Request, execute
from pipeline.launch import environment
from tests import made_pictures

SMALL = [
    "model.backbone=mobilenet",
    "model.weights=null",
    "image.size=[32, 32]",
    "data.splits={train: 3, eval: 1, test: 1}",
    "training.batch_size=8",
    "training.frozen.learning_rate=0.01",
    "training.unfrozen.epochs=1",
]
"""Assignments of a small run: a random MobileNet can tell the made classes apart."""

BEFORE_TRAINER = [
    "ImageExampleGen",
    "ImportSchemaGen",
    "StatisticsGen",
    "ExampleValidator",
    "DataValidator",
    "Transform",
    "BottleneckGen",
]


@dataclasses.dataclass(frozen=True)
class Place:
    """A folder of pictures and a root of runs."""

    pictures: Path
    root: Path

    def request(self, *assignments: str, **words: Any) -> Request:
        """The words of a small run here."""
        return Request(
            data=str(self.pictures),
            root=str(self.root),
            assignments=[*SMALL, *assignments],
            **words,
        )

    def run(self, *assignments: str, **words: Any) -> dict[str, Any]:
        """Runs the pipeline here and gives what programs read."""
        return execute(self.request(*assignments, **words))


@dataclasses.dataclass(frozen=True)
class FirstRun(Place):
    """The shared run."""

    result: dict[str, Any]

    @property
    def pushed(self) -> Path:
        """The version that it pushed."""
        return Path(self.result["model_dir"], str(self.result["pushed_version"]))

    def output(self, component: str, name: str) -> Path:
        """The folder of an output of the shared run itself, which is the root's oldest."""
        folder = self.root / "image-classifier" / component / name
        return min(folder.iterdir(), key=lambda path: int(path.name))


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> FirstRun:
    """A run that pushed its model."""
    environment.prepare()
    folder = tmp_path_factory.mktemp("e2e")
    place = Place(made_pictures.make(folder / "pictures", 40), folder / "root")
    return FirstRun(place.pictures, place.root, place.run())


@pytest.fixture
def pictures_to_change(first_run: FirstRun, tmp_path: Path) -> Iterator[Path]:
    """The shared run's pictures, which the test may change; afterwards they are as before."""
    kept = shutil.copytree(first_run.pictures, tmp_path / "kept")
    yield first_run.pictures
    shutil.rmtree(first_run.pictures)
    shutil.copytree(kept, first_run.pictures)
