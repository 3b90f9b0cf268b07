"""Transform: TFX's component, with this pipeline's preprocessing of pictures."""

from __future__ import annotations

from tfx.components.transform import component
from tfx.dsl.components.base import executor_spec
from tfx.types import BaseChannel

from components.backbones import BACKBONES
from components.settings.model import Image
from components.step.driver import Keyed
from components.transform.executor import Executor
from serving.picture_settings import MAX_PIXELS

_MODULE = "components.transform.preprocessing"


class Transform(Keyed, component.Transform):
    """Writes the graph that decodes, resizes and scales a picture.

    Nothing is materialised (a 299x299x3 float32 row is 1.07 MB) and no statistics of pixels are
    computed: the graph is the result.
    """

    MODULES = (_MODULE,)  # TFX imports it by its name
    LIBRARIES = ("keras", "tensorflow", "tensorflow-transform", "tfx")
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)
    STREAMED = ("examples",)  # none is read

    def __init__(
        self,
        examples: BaseChannel,
        schema: BaseChannel,
        backbone: str,
        size: list[int],
        image: Image,
        max_pixels: int = MAX_PIXELS,
    ):
        """Makes the component.

        Args:
          examples: ingested pictures.
          schema: their schema.
          backbone: whose pixel scaling applies.
          size: height and width in pixels.
          image: how pictures are fitted to that size.
          max_pixels: height x width over which the graph refuses a picture.
        """
        super().__init__(
            examples=examples,
            schema=schema,
            preprocessing_fn=f"{_MODULE}.preprocessing_fn",
            materialize=False,
            disable_statistics=True,
            disable_analyzer_cache=True,
            custom_config={
                "backbone": backbone,
                "size": size,
                "fit": image.fit,
                "max_pixels": max_pixels,
                **_scaling(backbone),
            },
        )


def _scaling(name: str) -> dict[str, list[list[float]]]:
    """Returns the pixel scaling of a KerasHub preset, for the cache key: it is read from a file."""
    scaling = BACKBONES[name].scaling
    return {} if scaling is None else {"scaling": scaling}
