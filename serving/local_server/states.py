"""The life of a version: START, LOADING, AVAILABLE, UNLOADING, END."""

from __future__ import annotations

from dataclasses import dataclass

from tensorflow_serving.apis.get_model_status_pb2 import ModelVersionStatus

START, LOADING, AVAILABLE, UNLOADING, END = (
    ModelVersionStatus.START,
    ModelVersionStatus.LOADING,
    ModelVersionStatus.AVAILABLE,
    ModelVersionStatus.UNLOADING,
    ModelVersionStatus.END,
)


@dataclass(frozen=True)
class VersionState:
    """Where a version is in its life, and the error that ended it, if one did."""

    version: int
    state: int
    code: int = 0  # as in gRPC; 0 is OK
    message: str = ""
