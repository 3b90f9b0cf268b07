"""The base of the synchronous and the asyncio client: options, batches, and gRPC errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import grpc

from serving.client import errors
from serving.client.batches import cut
from serving.client.busy import is_busy, is_too_large
from serving.client.channel import Tls
from serving.client.results import Prediction
from serving.client.sources import Ready, Source, prepare
from serving.picture_settings import PictureSettings

# How TensorFlow Serving's messages start (server_core.cc, predict_util.cc).
_UNKNOWN_LABEL = "Unrecognized servable version label"
_WRONG_FORM = ("input size does not match signature", "Expects arg[", "Missing ModelSpec")

ATTEMPTS = 3
"""How often a batch is sent at most until the model that answers has the settings of its pictures:
versions with others may take turns behind one address."""

Answer = Prediction | errors.PictureRefused
Batch = list[Ready | errors.PictureRefused]


@dataclass(frozen=True)
class Options:
    """The server that a client asks, and how.

    Raises:
        ValueError: both a version and a label, a limit under 1, or a token without TLS.
    """

    server: str = "localhost:8500"
    """Host and gRPC port."""
    name: str = "classifier"
    """The model's name on the server."""
    version: int | None = None
    """The version to ask; None: the newest, or that of `label`."""
    label: str | None = None
    """The label of the version to ask; excludes `version`. None: no label."""
    timeout: float = 60.0
    """Seconds for one request with its retries; several requests may be needed."""
    max_pictures: int = 32
    """At most so many pictures in one request."""
    max_bytes: int = 16 * 2**20
    """At most so many bytes of pictures in one request, but at least one picture."""
    concurrency: int = 4
    """At most so many requests at once."""
    max_message_bytes: int = -1
    """The longest message, either way; -1: any."""
    tls: Tls | None = None
    """Certificates of the server's authority and of the client; None: no TLS."""
    token: str | Callable[[], str] | None = None
    """A bearer token, or a function that returns the one that is valid now."""

    def __post_init__(self) -> None:
        if self.version is not None and self.label is not None:
            raise ValueError(
                f"Version {self.version} and label {self.label!r} are given; a request is for one "
                "of the two, not for both. Leave one out"
            )
        limits = ("max_pictures", "max_bytes", "concurrency")
        low = [f"{name}={getattr(self, name)}" for name in limits if getattr(self, name) < 1]
        if low:
            raise ValueError(f"Limits under 1: {', '.join(low)}")
        if self.token is not None and self.tls is None:
            raise ValueError("A token without TLS could be read on the way: give `tls`, too")

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """The gRPC metadata of every request."""
        if self.token is None:
            return ()
        token = self.token if isinstance(self.token, str) else self.token()
        return (("authorization", f"Bearer {token}"),)


def batches(
    options: Options,
    pictures: Iterable[Source],
    settings: Callable[[], PictureSettings] = PictureSettings,
) -> Iterator[Batch]:
    """Reads pictures, makes them canonical and yields batches within the limits, in order.

    Args:
        options: have the limits.
        pictures: in the caller's order.
        settings: returns those of the model, as far as they are known when a picture is read.
    """
    prepared = (prepare(source, position, settings()) for position, source in enumerate(pictures))
    return cut(prepared, _size, options.max_pictures, options.max_bytes)


def ready(batch: Batch) -> list[Ready]:
    """Returns the pictures of a batch that can be sent."""
    return [item for item in batch if isinstance(item, Ready)]


def merged(batch: Batch, answers: Iterable[Answer]) -> Iterator[Answer]:
    """Yields an answer per picture of a batch, given the answers for those that were sent."""
    left = iter(answers)
    for item in batch:
        yield next(left) if isinstance(item, Ready) else item


def otherwise(pictures: list[Ready], settings: PictureSettings) -> list[Ready]:
    """Returns the pictures as the model that answered takes them; nothing where they are so."""
    wanted = [item.for_model(settings) for item in pictures]
    same = all(new.encoded == sent.encoded for new, sent in zip(wanted, pictures, strict=True))
    return [] if same else wanted


def refused(picture: Ready, error: errors.RequestRefused) -> errors.PictureRefused:
    """Returns the refusal of a picture that was sent by itself."""
    return errors.PictureRefused(picture.file, error.details.partition("\n")[0])


def halves(pictures: list[Ready]) -> tuple[list[Ready], list[Ready]]:
    """Returns the two halves of a batch whose message was too large."""
    middle = (len(pictures) + 1) // 2
    return pictures[:middle], pictures[middle:]


def blames_a_picture(error: errors.RequestRefused) -> bool:
    """Checks whether the graph ended on a picture; a request of a wrong form ends before it."""
    return error.code == grpc.StatusCode.INVALID_ARGUMENT.name and not error.details.startswith(
        _WRONG_FORM
    )


def client_error(options: Options, error: Any) -> errors.ClientError:
    """Returns the client's error for a gRPC error."""
    code, details = error.code(), error.details() or ""
    if code == grpc.StatusCode.UNAVAILABLE:
        return errors.ServerUnavailable(options.server, details)
    if is_too_large(error):
        return errors.MessageTooLarge(options.server, code.name, details)
    if is_busy(error):
        return errors.ServerBusy(options.server, options.timeout, details)
    if code == grpc.StatusCode.DEADLINE_EXCEEDED:
        return errors.DeadlineExceeded(options.server, options.timeout)
    if code == grpc.StatusCode.NOT_FOUND or details.startswith(_UNKNOWN_LABEL):
        return errors.ModelNotFound(options.server, options.name, details)
    return errors.RequestRefused(options.server, code.name, details)


def _size(item: Ready | errors.PictureRefused) -> int:
    return len(item.encoded) if isinstance(item, Ready) else 0
