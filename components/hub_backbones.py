"""Backbones of KerasHub: the preset of any of its models that take pictures, from a local folder.

`keras_hub:FOLDER` names one in the configuration. The folder holds what KerasHub's `save_to_preset`
writes: `config.json`, `image_converter.json` with the pixel scaling, and the weights. Importing
this module imports neither NumPy, Keras nor KerasHub (the extra `hub`).
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import json
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.errors import ConfigError

if TYPE_CHECKING:
    import keras

    from components.backbones import Backbone

PREFIX = "keras_hub:"
_CONFIG, _CONVERTER = "config.json", "image_converter.json"
_SIZE = 224  # where a preset takes pictures of any size


@dataclasses.dataclass(frozen=True)
class HubBackbone:
    """A preset of KerasHub; the attributes and methods are those of `backbones.Backbone`.

    What a transformer returns for each patch of the picture is laid out as the map that a
    convolutional network returns, and with it at each place what it returns for the class token:
    average-pooled, that is the vector which Oquab et al. 2023 ("DINOv2", arXiv 2304.07193) read
    with a linear head.

    Attributes:
      folder: of the preset.
    """

    folder: Path

    minimum_size = 1
    from_layer = 0  # a transformer's blocks are one layer, so that all of it is trainable or none

    def check(self) -> None:
        """Makes sure that the preset can be read.

        Raises:
          ConfigError: a file is missing or damaged, or KerasHub is not installed.
        """
        if importlib.util.find_spec("keras_hub") is None:
            raise ConfigError(
                f"{PREFIX}{self.folder} is a preset of KerasHub, which is not installed: "
                "`pip install 'transfer-pipeline[hub]'`."
            )
        for name in (_CONFIG, _CONVERTER):
            if not (self.folder / name).is_file():
                raise ConfigError(
                    f"{self.folder} is no preset of KerasHub for pictures: it has no {name}. Name "
                    "a folder that `save_to_preset` of a backbone and of its image converter "
                    "wrote, or fetch a preset by its name: "
                    "`python -m components.pretrained.hub_preset NAME` prints its folder."
                )
        try:
            _ = self.size, self.scaling
        except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
            raise ConfigError(
                f"{self.folder} is no preset of KerasHub that can be read ({error!r}): {_CONFIG} "
                f"and {_CONVERTER} must be as `save_to_preset` writes them. Write or copy it there "
                "anew."
            ) from error

    def resolved(self, name: str) -> str:
        """Returns the name of the backbone for processes in other working folders.

        Raises:
          ConfigError: as `check`.
        """
        self.check()
        return f"{PREFIX}{self.folder}"

    @property
    def size(self) -> int:
        """Height and width in pixels that the preset was made for."""
        height = (self._settings().get("image_shape") or [None])[0]
        return int(height or (self._converter().get("image_size") or [_SIZE])[0])

    @property
    def millions(self) -> float:
        """Parameters in millions, by the size of the files of weights; 0 without any."""
        return sum(path.stat().st_size for path in self.folder.glob("model*.h5")) / 4e6

    @property
    def digest(self) -> str:
        """SHA-256 of names, sizes and times of the preset's files."""
        files = sorted(path for path in self.folder.iterdir() if path.is_file())
        facts = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
        return hashlib.sha256(repr(facts).encode()).hexdigest()

    @property
    def scaling(self) -> list[list[float]]:
        """Slope and offset of the pixel scaling, of each channel."""
        converter = self._converter()
        slope, offset = converter.get("scale"), converter.get("offset")
        given = (1.0 if slope is None else slope, 0.0 if offset is None else offset)
        return [_of_each_channel(value) for value in given]

    def scale(self, pixels: Any) -> Any:
        """Scales [..., height, width, 3] float32 RGB in [0, 255] to what the weights expect."""
        import numpy as np

        slope, offset = (np.array(value, np.float32) for value in self.scaling)
        return pixels * slope + offset

    def constructor(self, *, input_shape: tuple[int, ...], **_: Any) -> keras.Model:
        """Builds the network without a top and with random weights, for pictures of this shape.

        Raises:
          ConfigError: the preset takes no pictures of this shape, or is of another kind.
        """
        return self._network(input_shape, load_weights=False)

    def of_applications(self) -> Backbone | None:
        """Returns None: a preset has neither a top nor downloads of ImageNet's weights."""
        return None

    def kept_as(self, name: str, top: bool) -> str:
        """Returns a name for a file of the preset's weights, of this content and without a top."""
        return f"keras_hub-{self.digest[:20]}"

    def versions(self) -> dict[str, str]:
        """Returns what makes the network besides its weights: KerasHub's version, and the recipe.

        Two recipes may fit one file of weights: an activation and an epsilon have none.
        """
        recipe = hashlib.sha256((self.folder / _CONFIG).read_bytes()).hexdigest()
        return {"keras_hub": metadata.version("keras-hub"), "keras_hub_config": recipe}

    def pretrained(self) -> keras.Model:
        """Builds the network for its own size with the preset's weights.

        Raises:
          ConfigError: they are missing or damaged, or the preset is of another kind.
        """
        try:
            return self._network((self.size, self.size, 3), load_weights=True)
        except OSError as error:
            raise ConfigError(
                f"model.backbone: the weights of {self.folder} can't be read "
                f"({' '.join(str(error).split())[:300]}); all files that `save_to_preset` wrote "
                "are needed. Copy them there anew."
            ) from error

    def _network(self, shape: tuple[int, ...], load_weights: bool) -> keras.Model:
        import keras
        import keras_hub

        part = self._whole()["config"].get("vision_encoder")  # of pairs of text and picture
        try:
            if part and not load_weights:
                model = keras.saving.deserialize_keras_object(part)
            else:
                chosen = {} if part else {"image_shape": shape}
                model = keras_hub.models.Backbone.from_preset(
                    str(self.folder), load_weights=load_weights, dtype="float32", **chosen
                )
                model = model.vision_encoder if part else model
        except (ValueError, TypeError) as error:
            raise self._unsuitable(shape, " ".join(str(error).split())[:300]) from error
        inputs, output = model.inputs, model.output
        if len(inputs) != 1 or tuple(inputs[0].shape[1:]) != shape:
            raise self._unsuitable(shape, f"it takes {[each.shape for each in inputs]}")
        if isinstance(output, dict | list) or len(output.shape) not in (3, 4):
            raise self._unsuitable(shape, "it returns neither a map nor patches")
        if len(output.shape) == 3:
            output = _as_map(output, shape, model.patch_size)
        network = keras.Model(inputs[0], output, name=model.name)
        for layer in network.layers:
            self._check_copied(layer)
        return network

    def _check_copied(self, layer: keras.Layer) -> None:
        """Makes sure that a layer can be made from its configuration, as exports and files need.

        Raises:
          ConfigError: it can't, as ViT's patches in KerasHub 0.25 to 0.32.
        """
        try:
            type(layer).from_config(layer.get_config())
        except TypeError as error:
            raise ConfigError(
                f"model.backbone: {self.folder}: the installed KerasHub can't read back the "
                f"configuration of its own layer {layer.name} ({type(layer).__name__}), so a "
                "network with it could be neither saved nor served. Take another preset, such as "
                "DINOv2's, or a KerasHub that can."
            ) from error

    def _unsuitable(self, shape: tuple[int, ...], fault: str) -> ConfigError:
        return ConfigError(
            f"model.backbone: {self.folder} can't be used for pictures of {shape[0]} x {shape[1]} "
            f"pixels: {fault}. Its own size is {self.size} (image.size=null), and some presets "
            "take no other."
        )

    def _whole(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / _CONFIG).read_text("utf-8")))

    def _settings(self) -> dict[str, Any]:
        found = self._whole()["config"]
        return dict(found["vision_encoder"]["config"] if "vision_encoder" in found else found)

    def _converter(self) -> dict[str, Any]:
        content = json.loads((self.folder / _CONVERTER).read_text("utf-8"))
        return dict(content["config"])


def _of_each_channel(value: float | list[float]) -> list[float]:
    """Returns three numbers of one that is for all channels, or of one for each."""
    values = value if isinstance(value, list) else [value]
    return [float(each) for each in (values * 3 if len(values) == 1 else values)]


def _as_map(
    tokens: keras.KerasTensor, shape: tuple[int, ...], patch: int | tuple[int, int]
) -> keras.KerasTensor:
    """Returns [batch, rows, columns, channels] for a transformer's tokens [batch, tokens, ...].

    The tokens of the patches are the last ones. Where there are others, the first one is the class
    token, whose channels follow those of the patch at each place; registers are left out.
    """
    import keras

    height, width = (patch, patch) if isinstance(patch, int) else patch
    rows, columns = shape[0] // height, shape[1] // width
    count, channels = tokens.shape[1:]
    others = count - rows * columns
    if not others:
        return keras.layers.Reshape((rows, columns, channels), name="patches")(tokens)
    patches = keras.layers.Cropping1D((others, 0), name="patch_tokens")(tokens)
    patches = keras.layers.Reshape((rows, columns, channels), name="patches")(patches)
    token = keras.layers.Cropping1D((0, count - 1), name="class_token")(tokens)
    token = keras.layers.Reshape((1, 1, channels), name="class_token_map")(token)
    token = keras.layers.UpSampling2D((rows, columns), name="class_token_everywhere")(token)
    return keras.layers.Concatenate(name="patches_and_class_token")([patches, token])
