"""The backbones: one line each adds any model of `keras.applications`, a name any of KerasHub.

Importing this module imports no Keras; the functions that need it do.
"""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from components.hub_backbones import PREFIX, HubBackbone

if TYPE_CHECKING:
    import keras


@dataclasses.dataclass(frozen=True)
class Backbone:
    """A network of `keras.applications` without its top.

    Attributes:
      module: its module there, whose `preprocess_input` is the pixel scaling it was trained with
        ([-1, 1] for InceptionV3, Xception, MobileNet and its second version; BGR less the mean for
        VGG and ResNet50; none for the others, which scale within the network).
      name: its constructor.
      size: height and width in pixels that its ImageNet weights were trained on.
      minimum_size: the smallest height or width that it accepts.
      from_layer: where phase `unfrozen` starts unless the configuration says otherwise.
      millions: of its parameters, whose files need space on a disk.
    """

    module: str
    name: str
    size: int
    minimum_size: int
    from_layer: str
    millions: float

    pretrained: ClassVar[None] = None  # Keras downloads the weights, in a process of its own
    scaling: ClassVar[None] = None  # Keras' function, which is code and no list of numbers

    def resolved(self, name: str) -> str:
        """Returns the key in the table, for processes in other working folders."""
        return name

    def of_applications(self) -> Backbone:
        """Returns the backbone, as one that has a top and downloads of ImageNet's weights."""
        return self

    def kept_as(self, name: str, top: bool) -> str:
        """Returns a name for a file of the ImageNet weights.

        Args:
          name: the backbone's key in the table.
          top: whether with the layers that classify.
        """
        return f"{name}-imagenet{'-top' if top else ''}"

    def versions(self) -> dict[str, str]:
        """Returns the versions of what, besides Keras and the weights, makes the network."""
        return {}

    def constructor(self, **arguments: Any) -> keras.Model:
        """Calls the constructor of `keras.applications` with `arguments`."""
        return getattr(importlib.import_module("keras.applications"), self.name)(**arguments)

    def scale(self, pixels: Any) -> Any:
        """Scales [..., height, width, 3] float32 RGB in [0, 255] to what the weights expect."""
        return self._module().preprocess_input(pixels)

    def decode_predictions(self, scores: Any, top: int) -> list[list[tuple[str, str, float]]]:
        """Returns, for [batch, 1000] ImageNet scores, the best classes: identifier, name, score.

        Keras downloads the names the first time.
        """
        return self._module().decode_predictions(scores, top=top)

    def _module(self) -> Any:
        return importlib.import_module(f"keras.applications.{self.module}")


class _Backbones(dict[str, "Backbone | HubBackbone"]):
    """The table; a name `keras_hub:FOLDER` is in it, too, without being listed."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and name.startswith(PREFIX))

    def __missing__(self, name: str) -> HubBackbone:
        if not name.startswith(PREFIX):
            raise KeyError(name)
        return HubBackbone(Path(name.removeprefix(PREFIX)).expanduser().absolute())


_APPLICATIONS = {
    "inception_v3": Backbone("inception_v3", "InceptionV3", 299, 75, "mixed7", 21.8),
    "vgg16": Backbone("vgg16", "VGG16", 224, 32, "block5_conv1", 14.7),
    "vgg19": Backbone("vgg19", "VGG19", 224, 32, "block5_conv1", 20.0),
    "resnet50": Backbone("resnet50", "ResNet50", 224, 32, "conv5_block1_1_conv", 23.6),
    "xception": Backbone("xception", "Xception", 299, 71, "block13_sepconv1_act", 20.9),
    "mobilenet": Backbone("mobilenet", "MobileNet", 224, 32, "conv_dw_12", 3.2),
    "mobilenet_v2": Backbone("mobilenet_v2", "MobileNetV2", 224, 32, "block_16_expand", 2.3),
    "mobilenet_v3_small": Backbone(
        "mobilenet_v3", "MobileNetV3Small", 224, 32, "expanded_conv_10_expand", 0.9
    ),
    "mobilenet_v3_large": Backbone(
        "mobilenet_v3", "MobileNetV3Large", 224, 32, "expanded_conv_14_expand", 3.0
    ),
    "efficientnet_v2_b0": Backbone(
        "efficientnet_v2", "EfficientNetV2B0", 224, 32, "block6h_expand_conv", 5.9
    ),
    "efficientnet_v2_b3": Backbone(
        "efficientnet_v2", "EfficientNetV2B3", 300, 32, "block6l_expand_conv", 12.9
    ),
    "efficientnet_v2_s": Backbone(
        "efficientnet_v2", "EfficientNetV2S", 384, 32, "block6o_expand_conv", 20.3
    ),
    "convnext_tiny": Backbone(
        "convnext", "ConvNeXtTiny", 224, 32, "convnext_tiny_stage_3_block_2_depthwise_conv", 27.8
    ),
    "convnext_small": Backbone(
        "convnext", "ConvNeXtSmall", 224, 32, "convnext_small_stage_3_block_2_depthwise_conv", 49.5
    ),
}

BACKBONES = _Backbones(_APPLICATIONS)
