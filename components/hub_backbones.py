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
from components.hub_layers import as_map, remade

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
    with a linear head. What returns one vector for the picture, as SigLIP, has a map of one place.

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
        settings = self._settings()
        height = (settings.get("image_shape") or settings.get("input_shape") or [None])[0]
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
                f"({_shortened(error)}); all files that `save_to_preset` wrote "
                "are needed. Copy them there anew."
            ) from error

    def _network(self, shape: tuple[int, ...], load_weights: bool) -> keras.Model:
        import keras

        try:
            model = self._model(shape, load_weights)
            inputs = model.inputs
            if len(inputs) != 1 or tuple(inputs[0].shape[1:]) != shape:
                raise ValueError(f"it takes {[each.shape for each in inputs]}")
            output = as_map(model.output, shape, getattr(model, "patch_size", None))
        except (ValueError, TypeError) as error:
            raise self._unsuitable(shape, error) from error
        network = keras.Model(inputs[0], output, name=model.name)
        try:
            return remade(network)
        except (ValueError, TypeError, AttributeError) as error:
            raise ConfigError(
                f"model.backbone: {self.folder}: the installed KerasHub can't make its own layers "
                f"by their configuration ({_shortened(error)}), so a network with them could be "
                "neither saved nor served. Take another preset, such as DINOv2's, or a KerasHub "
                "that can."
            ) from error

    def _model(self, shape: tuple[int, ...], load_weights: bool) -> keras.Model:
        """Returns KerasHub's own; of a model of pairs of text and picture that of the picture."""
        import keras
        import keras_hub

        part = self._whole()["config"].get("vision_encoder")
        if part and not load_weights:
            return keras.saving.deserialize_keras_object(part)
        argument = "input_shape" if "input_shape" in self._settings() else "image_shape"
        model = keras_hub.models.Backbone.from_preset(
            str(self.folder),
            load_weights=load_weights,
            dtype="float32",
            **({} if part else {argument: shape}),
        )
        return model.vision_encoder if part else model

    def _unsuitable(self, shape: tuple[int, ...], error: Exception) -> ConfigError:
        return ConfigError(
            f"model.backbone: {self.folder} can't be used for pictures of {shape[0]} x {shape[1]} "
            f"pixels: {_shortened(error)}. Its own size is {self.size} (image.size=null), "
            "and some presets take no other."
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


def _shortened(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
