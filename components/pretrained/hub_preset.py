"""Fetches a preset of KerasHub into the user's cache, as a folder that is read without a network.

`python -m components.pretrained.hub_preset NAME` prints the folder; NAME is all that KerasHub's
`from_preset` takes: `dinov2_base`, `kaggle://...`, `hf://...`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from components.errors import UserError
from components.files.cache_folder import cache_dir
from components.hub_backbones import HubBackbone
from components.pretrained.official_weights import (
    DOWNLOAD_SECONDS,
    WeightsUnavailable,
    make_once,
)

_FETCH = """
import sys, keras_hub
name, folder = sys.argv[1:]
keras_hub.models.Backbone.from_preset(name).save_to_preset(folder)
keras_hub.layers.ImageConverter.from_preset(name).save_to_preset(folder)
"""


def preset_folder(name: str) -> Path:
    """Returns the folder of a preset, which KerasHub downloads the first time.

    Raises:
      ConfigError: KerasHub is not installed, or the preset is none for pictures.
      WeightsUnavailable: it can't be downloaded.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name)
    folder = make_once(
        cache_dir() / "weights" / f"keras_hub-{safe}", lambda made: _fetch(name, made)
    )
    HubBackbone(folder).check()
    return folder


def _fetch(name: str, folder: Path) -> None:
    command = [sys.executable, "-c", _FETCH, name, str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise _unavailable(name, f"KerasHub did not finish in {DOWNLOAD_SECONDS} s") from error
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["KerasHub failed without a word"])[-1]
        raise _unavailable(name, last[-300:])


def _unavailable(name: str, fault: str) -> WeightsUnavailable:
    return WeightsUnavailable(
        f"The preset {name} of KerasHub can't be had: {fault}. Fetch it where its host can be "
        "reached, and copy the folder that this command prints there; "
        "`--set model.backbone=keras_hub:FOLDER` names it."
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m components.pretrained.hub_preset NAME")
    try:
        print(preset_folder(sys.argv[1]))
    except UserError as error:
        sys.exit(str(error))
