"""How the client speaks gRPC: message sizes, reconnection, retries, TLS."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

_INITIAL_BACKOFF_SECONDS, _MAX_BACKOFF_SECONDS = 0.2, 5.0
_RETRIED_BYTES = 2**31 - 1  # gRPC gives up retrying a message over 256 KiB unless told otherwise

# https://github.com/grpc/proposal/blob/master/A6-client-retries.md; gRPC adds the jitter.
_SERVICE_CONFIG = {
    "methodConfig": [
        {
            "name": [
                {"service": "tensorflow.serving.PredictionService"},
                {"service": "tensorflow.serving.ModelService"},
            ],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": f"{_INITIAL_BACKOFF_SECONDS}s",
                "maxBackoff": f"{_MAX_BACKOFF_SECONDS}s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}


@dataclass(frozen=True)
class Tls:
    """Certificates as PEM files; with `certificate` and `key` the client proves who it is (mTLS).

    Raises:
        ValueError: a certificate without its key, or the reverse.
    """

    ca: Path | None = None
    """The authority that signed the server's certificate; None: those that gRPC trusts."""
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            given, other = ("certificate", "key") if self.certificate else ("key", "certificate")
            raise ValueError(
                f"A {given} is given without its {other}; mTLS needs both. Give both or neither"
            )

    def credentials(self) -> Any:
        """Reads the files.

        Raises:
            OSError: one can't be read.
        """
        files = (self.ca, self.key, self.certificate)
        return grpc.ssl_channel_credentials(*(file and file.read_bytes() for file in files))


def open_channel(grpc_api: Any, server: str, max_message_bytes: int, tls: Tls | None) -> Any:
    """Returns a channel to `server` that retries when it is away, or its batching queue full.

    Connecting happens with the first request. UNAVAILABLE is tried five times within the request's
    deadline, with growing pauses and jitter; no other code is retried here, see `busy.py`.

    Args:
        grpc_api: `grpc` or `grpc.aio`.
        server: host and port.
        max_message_bytes: the longest message, either way; -1: any.
        tls: None for a channel that anyone can read.
    """
    options = [
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.per_rpc_retry_buffer_size", _RETRIED_BYTES),
        ("grpc.initial_reconnect_backoff_ms", int(1000 * _INITIAL_BACKOFF_SECONDS)),
        ("grpc.min_reconnect_backoff_ms", int(1000 * _INITIAL_BACKOFF_SECONDS)),
        ("grpc.max_reconnect_backoff_ms", int(1000 * _MAX_BACKOFF_SECONDS)),
        ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
    ]
    if tls is None:
        return grpc_api.insecure_channel(server, options=options)
    return grpc_api.secure_channel(server, tls.credentials(), options=options)
