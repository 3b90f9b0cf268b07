"""Estimates what a run writes, and where, so that a full disk is found before the work starts."""

from __future__ import annotations

import os
import tempfile

from components.backbones import BACKBONES
from components.files.paths import is_remote
from components.files.space import Need
from components.image_example_gen import sources
from pipeline.config import Config

_BYTES = 4e6  # of a million parameters
_IN_ROOT = 3  # models: the frozen base or the training's state, `model.keras`, the SavedModel


def needs(config: Config, listing: sources.Listing) -> list[Need]:
    """Returns what a run is about to write: models, and the pictures where none were ingested yet.

    A root that is no folder has no limit that could be asked for.
    """
    model = int(_BYTES * BACKBONES[config.model.backbone].millions)
    found = [
        Need("push.directory", str(config.push_directory), model),
        Need("TMPDIR", tempfile.gettempdir(), model),
    ]
    if is_remote(config.pipeline_root):
        return found
    ingested = os.path.isdir(os.path.join(config.pipeline_root, "ImageExampleGen", "examples"))
    pictures = 0 if ingested else listing.counts.size
    return [Need("runtime.root", str(config.root), _IN_ROOT * model + pictures), *found]
