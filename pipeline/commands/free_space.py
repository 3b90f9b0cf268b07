"""Estimates what a run writes, and where, so that a full disk is found before the work starts."""

from __future__ import annotations

import os
import tempfile

from components.files.paths import is_remote
from components.files.space import Need
from components.image_example_gen import sources
from pipeline.config import Config

_PARAMETERS = {
    **{"inception_v3": 21.8, "vgg16": 14.7, "vgg19": 20.0, "resnet50": 23.6, "xception": 20.9},
    **{"mobilenet": 3.2, "mobilenet_v2": 2.3},
    **{"mobilenet_v3_small": 0.9, "mobilenet_v3_large": 3.0},
    **{"efficientnet_v2_b0": 5.9, "efficientnet_v2_b3": 12.9, "efficientnet_v2_s": 20.3},
    **{"convnext_tiny": 27.8, "convnext_small": 49.5},
}
"""Millions, without ImageNet's classifier."""
_LARGEST = max(_PARAMETERS.values())
_IN_ROOT = 3  # models: the frozen base or the training's state, `model.keras`, the SavedModel


def needs(config: Config, listing: sources.Listing) -> list[Need]:
    """Returns what a run is about to write: models, and the pictures where none were ingested yet.

    A root that is no folder has no limit that could be asked for.
    """
    model = int(4e6 * _PARAMETERS.get(config.model.backbone, _LARGEST))
    found = [
        Need("push.directory", str(config.push_directory), model),
        Need("TMPDIR", tempfile.gettempdir(), model),
    ]
    if is_remote(config.pipeline_root):
        return found
    ingested = os.path.isdir(os.path.join(config.pipeline_root, "ImageExampleGen", "examples"))
    pictures = 0 if ingested else sum(file.size for file in listing.files)
    return [Need("runtime.root", str(config.root), _IN_ROOT * model + pictures), *found]
