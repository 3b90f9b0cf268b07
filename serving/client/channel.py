"""How the client speaks gRPC: message sizes, reconnection, retries."""

from __future__ import annotations

import json

import grpc

_INITIAL_BACKOFF_SECONDS, _MAX_BACKOFF_SECONDS = 0.2, 5.0
_UNLIMITED = -1
_RETRIED_BYTES = 2**31 - 1  # gRPC gives up retrying a message over 256 KiB unless told otherwise

# https://github.com/grpc/proposal/blob/master/A6-client-retries.md
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


def open_channel(server: str) -> grpc.Channel:
    """Gives a channel to `server` that takes messages of any size and retries when it is away.

    Connecting happens with the first request. UNAVAILABLE is tried five times within the
    request's deadline, with growing pauses; no other code is tried again.
    """
    options = [
        ("grpc.max_send_message_length", _UNLIMITED),
        ("grpc.max_receive_message_length", _UNLIMITED),
        ("grpc.per_rpc_retry_buffer_size", _RETRIED_BYTES),
        ("grpc.initial_reconnect_backoff_ms", int(1000 * _INITIAL_BACKOFF_SECONDS)),
        ("grpc.min_reconnect_backoff_ms", int(1000 * _INITIAL_BACKOFF_SECONDS)),
        ("grpc.max_reconnect_backoff_ms", int(1000 * _MAX_BACKOFF_SECONDS)),
        ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
    ]
    return grpc.insecure_channel(server, options=options)
