"""Where a model goes that passed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from components.settings.base import AtLeastOne, Section


class Push(Section):
    """Where TensorFlow Serving finds its models."""

    directory: Annotated[str, Field(min_length=1)]
    keep_versions: AtLeastOne = 5
