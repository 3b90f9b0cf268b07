"""Push directories for the tests, and what a server sees of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serving.versions import published, served


def model(folder: Path, content: str = "weights") -> Path:
    """Something that looks like a SavedModel from outside, with files at two levels."""
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_text("graph")
    (folder / "variables" / "variables.index").write_text(content)
    return folder


def numbers(model_dir: Path, state: str) -> list[int]:
    return [version.number for version in published(model_dir) if version.state == state]


def hidden(model_dir: Path) -> set[str]:
    return {path.name for path in model_dir.iterdir() if path.name.startswith(".")}


@contextmanager
def polled(model_dir: Path) -> Iterator[list[int | None]]:
    """Collects the versions that a server finds before every single rename, and at the end."""
    seen: list[int | None] = []
    watching = True

    def look(event: str, _: object) -> None:
        if watching and event == "os.rename":
            path = served(model_dir)
            seen.append(int(path.name) if path else None)

    sys.addaudithook(look)
    try:
        yield seen
        look("os.rename", None)
    finally:
        watching = False


def changes(seen: list[int | None]) -> list[int | None]:
    return [number for at, number in enumerate(seen) if at == 0 or number != seen[at - 1]]
