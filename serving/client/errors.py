"""The client's errors, one class per fault that the caller can mend."""

from __future__ import annotations


class ClientError(Exception):
    """The base of all errors of the client."""


class ServerUnavailable(ClientError):
    """Nothing answered at the address, not even after retries."""

    def __init__(self, server: str, details: str) -> None:
        super().__init__(
            f"No server answers at {server} ({details}). Start one with `transfer-pipeline serve"
            " --model-dir DIR`, or give the address of its gRPC port (8500 unless set, not the"
            " REST port 8501)."
        )


class ServerBusy(ClientError):
    """The server had no thread for the request, however often it was sent within `timeout`."""

    def __init__(self, server: str, timeout: float, details: str) -> None:
        super().__init__(
            f"{server} was too busy to take the request within {timeout:g} s ({details}). Start it"
            " with more threads (--grpc_max_threads=64), run more servers, or ask with fewer"
            " clients at once."
        )


class DeadlineExceeded(ClientError):
    """The server took longer than the client's `timeout`."""

    def __init__(self, server: str, timeout: float) -> None:
        super().__init__(
            f"{server} did not answer within {timeout:g} s. Give it more time (`timeout`), or ask"
            " for fewer pictures at once (`max_pictures`)."
        )


class ModelNotFound(ClientError):
    """The server runs, but does not serve the model, version or label asked for."""

    def __init__(self, server: str, name: str, details: str) -> None:
        super().__init__(
            f"{server} does not serve this: {details}. Ask for a name, version and label that it"
            f" serves; `Client.status` lists those of the name {name!r}, if that is the model's,"
            " and tells whether one is still loading or has failed to load."
        )


class RequestRefused(ClientError):
    """The server refused the request with `code` (gRPC's name) and `details`."""

    def __init__(self, server: str, code: str, details: str) -> None:
        super().__init__(
            f"{server} refused the request with {code}: {details}. Is it a TensorFlow Serving"
            " that serves a model of this pipeline? `Client.metadata` tells its signatures."
        )
        self.code = code
        self.details = details


class MessageTooLarge(RequestRefused):
    """A message of one picture is over the limit of the server, or of the client itself."""

    def __init__(self, server: str, code: str, details: str) -> None:
        ClientError.__init__(
            self,
            f"{server} takes no message this long, not even with one picture: {details}. Send"
            " smaller pictures, or raise that limit on the server, or `max_message_bytes` here"
            " (-1: any).",
        )
        self.code = code
        self.details = details


class PictureRefused(ClientError):
    """A file that cannot be classified, and why. `file` names it as the caller did."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(
            f"{file}: {reason}. Send a JPEG, PNG, GIF, BMP, WebP or TIFF file that a viewer shows."
        )
        self.file = file
        self.reason = reason
