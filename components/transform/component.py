"""Transform: TFX's component, told how this pipeline's pictures reach the network."""

from __future__ import annotations

from tfx.components import Transform
from tfx.types import BaseChannel

from components.settings.model import Image
from components.step.code_version import code_version

_MODULE = "components.transform.preprocessing"


def make_transform(
    examples: BaseChannel, schema: BaseChannel, backbone: str, size: list[int], image: Image
) -> Transform:
    """Makes the component.

    Nothing is materialised (a 299x299x3 float32 row is 1.07 MB) and no statistics of pixels are
    computed: the graph is the result.

    Args:
      examples: ingested pictures.
      schema: their schema.
      backbone: whose pixel scaling applies.
      size: height and width in pixels.
      image: how pictures are fitted to that size.
    """
    return Transform(
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
            "code_version": code_version(_MODULE),
        },
    )
