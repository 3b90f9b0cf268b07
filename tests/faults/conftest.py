"""A finished run, and the same root again for each test that breaks something of it."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import made_pictures
from tests.e2e.conftest import SMALL
from tests.faults.forked_commands import Commands, Ended, Fault, commands

_SHORT = [
    *SMALL,
    "training.frozen.epochs=2",
    "gate={min_accuracy: 0, min_class_recall: 0, beats_majority_class: false}",
]
"""Assignments of a run that no gate refuses, however it ends."""


@dataclasses.dataclass(frozen=True)
class Place:
    """Pictures, a root, and what starts commands there."""

    pictures: Path
    root: Path
    commands: Commands

    @property
    def served(self) -> Path:
        """The push directory."""
        return self.root / "served" / "image-classifier"

    @property
    def store(self) -> Path:
        """The file of the metadata."""
        return self.root / "metadata.sqlite"

    def run(self, *more: str, fault: Fault | None = None, largest_file: int | None = None) -> Ended:
        """Runs the pipeline; of its words only `more`, which come last, differ."""
        words = [*(word for key in _SHORT for word in ("--set", key)), *more]
        places = ["--data", str(self.pictures), "--root", str(self.root)]
        return self.commands.run(
            "run", *places, "--json", *words, fault=fault, largest_file=largest_file
        )

    def newest(self, pattern: str) -> Path:
        """Returns the newest file of the pipeline that matches."""
        found = (self.root / "image-classifier").glob(pattern)
        return max(found, key=lambda path: path.stat().st_mtime)

    @property
    def answers(self) -> str:
        """The newest network's answers, to the last digit."""
        return self.newest("Trainer/model/*/network_answers.json").read_text()


@dataclasses.dataclass(frozen=True)
class Undisturbed(Place):
    """A place where one run ended well; a test may break it."""

    result: dict[str, Any]
    kept: Path
    scores: str

    def mend(self) -> None:
        """Makes the root what it was after the run."""
        shutil.rmtree(self.root)
        shutil.copytree(self.kept, self.root, symlinks=True)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undisturbed]:
    """A run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("faults")
    pictures = made_pictures.make(folder / "pictures", 20)
    with commands(folder) as started:
        place = Place(pictures, folder / "root", started)
        done = place.run()
        assert done.code == 0, done.stderr
        assert done.result["verdict"] == "pushed"
        kept = folder / "kept"
        shutil.copytree(place.root, kept, symlinks=True)
        fields = {each.name: getattr(place, each.name) for each in dataclasses.fields(place)}
        yield Undisturbed(**fields, result=done.result, kept=kept, scores=place.answers)


@pytest.fixture
def finished(undisturbed: Undisturbed) -> Undisturbed:
    """The root of the run, as it was after it."""
    undisturbed.mend()
    return undisturbed


@pytest.fixture
def empty(undisturbed: Undisturbed, tmp_path: Path) -> Place:
    """The same pictures, and a root in which nothing has run."""
    return Place(undisturbed.pictures, tmp_path / "root", undisturbed.commands)
