"""The last data of a root that DataValidator accepted, found without ML Metadata."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from components.artifacts import known_pictures
from components.artifacts.known_pictures import Picture
from components.files.paths import is_remote
from pipeline.config import Config


@dataclasses.dataclass(frozen=True)
class Accepted:
    """Data that passed."""

    when: str
    pictures: Sequence[Picture]


def last_accepted(config: Config) -> Accepted | None:
    """Returns the newest of this pipeline; None where there is none, or the root is no folder.

    TFX numbers the outputs, and deletes those of a node that failed.
    """
    if is_remote(config.pipeline_root):
        return None
    folder = Path(config.pipeline_root, "DataValidator", "acceptance")
    found = {
        path.parent: path
        for name in reversed(known_pictures.FILES)
        for path in folder.glob(f"[0-9]*/{name}")
    }
    if not found:
        return None
    newest = max(found, key=lambda path: int(path.name))
    acceptance = json.loads((newest / "acceptance.json").read_text("utf-8"))
    pictures = known_pictures.parse(found[newest].read_bytes())
    return Accepted(acceptance["accepted"], pictures)
