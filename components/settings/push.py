"""The folder of models that passed, and the checks of a server."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from components.settings.base import PATH, AtLeastOne, Positive, Section


class Push(Section):
    """Where TensorFlow Serving finds its models."""

    directory: Annotated[str, Field(min_length=1), PATH]
    keep_versions: AtLeastOne = 5


class Infra(Section):
    """InfraValidator's requirements on a server with the candidate."""

    max_latency_ms: Positive | None = None
    """Limit of the median of requests for one picture each, over gRPC on the machine that runs
    the pipeline; null: any time."""
