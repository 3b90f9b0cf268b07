"""The folder of models that passed, and the checks of a server."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from components.files.paths import is_remote
from components.settings.base import PATH, AtLeastOne, Positive, Section


def _store(address: str) -> str:
    if not is_remote(address):
        raise ValueError("the address of an object store is needed, as s3://bucket/models")
    return address.rstrip("/")


class Push(Section):
    """Where TensorFlow Serving finds its models."""

    directory: Annotated[str, Field(min_length=1), PATH]
    keep_versions: AtLeastOne = 5
    upload_to: Annotated[str, AfterValidator(_store), PATH] | None = None
    """s3://BUCKET/FOLDER and the like, where each version that is pushed is uploaded, too."""


class Infra(Section):
    """InfraValidator's requirements on a server with the candidate."""

    max_latency_ms: Positive | None = None
    """Limit of the median of requests for one picture each, over gRPC on the machine that runs
    the pipeline; null: any time."""
