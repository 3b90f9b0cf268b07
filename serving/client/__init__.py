"""The client: `with Client("localhost:8500") as client: client.classify([Path("a.jpg")])`."""

from serving.client.aio import AsyncClient
from serving.client.channel import Tls
from serving.client.client import Client
from serving.client.errors import (
    ClientError,
    DeadlineExceeded,
    MessageTooLarge,
    ModelNotFound,
    PictureRefused,
    RequestRefused,
    ServerBusy,
    ServerUnavailable,
)
from serving.client.results import Prediction, Signature, TensorSpec, VersionStatus
from serving.recording.settings import Recording

__all__ = [
    "AsyncClient",
    "Client",
    "ClientError",
    "DeadlineExceeded",
    "MessageTooLarge",
    "ModelNotFound",
    "PictureRefused",
    "Prediction",
    "Recording",
    "RequestRefused",
    "ServerBusy",
    "ServerUnavailable",
    "Signature",
    "TensorSpec",
    "Tls",
    "VersionStatus",
]
