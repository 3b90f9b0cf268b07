"""Shared fixtures: a Transform graph, pictures as the ingest writes them, a user but root."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import made_pictures

if TYPE_CHECKING:
    from components.model.transform_graph import Pixels


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the project's sources, which the test may change."""
    root = Path(__file__).resolve().parents[2]
    for package in ("components", "serving"):
        shutil.copytree(root / package, tmp_path / package)
    return tmp_path


@pytest.fixture(scope="session")
def transform_graph(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A TransformGraph artifact's folder: 32 pixels, MobileNet's scaling."""
    from tests.components import made_artifacts

    folder = tmp_path_factory.mktemp("transform_graph")
    return made_artifacts.write_transform_graph(folder, "mobilenet", [32, 32])


@pytest.fixture(scope="session")
def pixels(transform_graph: str) -> Pixels:
    """That graph, loaded."""
    from components.model.transform_graph import Pixels

    return Pixels(transform_graph)


@pytest.fixture(scope="session")
def split(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A split's folder: eight pictures of each class, the classes mixed, as the ingest writes."""
    from tests.components import made_artifacts

    folder = tmp_path_factory.mktemp("split")
    pictures = made_pictures.make(folder / "pictures", 8)
    return made_artifacts.write_split(pictures, folder / "Split-train")


@pytest.fixture
def nobody() -> Iterator[None]:
    """Root may read everything, so the test is run by somebody else. Name it last."""
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)
    yield
    os.seteuid(me)
