"""Requests of a hostile client: each is refused, and costs no more than others."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import socket
import threading
from collections.abc import Callable, Iterator

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow_serving.apis.predict_pb2 import PredictRequest

from tests.serving.server_process import ServerAt
from tests.serving.tiny_model import predict_request


def claimed_png(side: int) -> bytes:
    """A PNG of a few bytes whose head claims `side` x `side` pixels."""
    encoded = bytearray(tf.io.encode_png(np.zeros([4, 4, 3], np.uint8)).numpy())
    encoded[16:24] = side.to_bytes(4, "big") * 2
    return bytes(encoded)


def real_png(side: int) -> bytes:
    """A PNG of `side` x `side` black pixels: some 0.1 % of its pixels' bytes."""
    return bytes(tf.io.encode_png(np.zeros([side, side, 1], np.uint8), 9).numpy())


def _claim(count: int) -> PredictRequest:
    request = predict_request([])
    proto = TensorProto(dtype=tf.string.as_datatype_enum, string_val=[b""])
    proto.tensor_shape.dim.add(size=count)
    request.inputs["inputs"].CopyFrom(proto)
    return request


class Abuse:
    """Sends one hostile request after the other, until the context ends.

    Attributes:
        taken: those that were answered as if they were well.
        count: how many were sent.
    """

    def __init__(self, server: ServerAt) -> None:
        self._server = server
        large = [claimed_png(15_000), real_png(9_000)]
        self._kinds: list[Callable[[], None]] = [
            lambda: self._refused(_claim(2**24)),
            lambda: self._refused(_claim(10**6)),
            lambda: self._refused(predict_request(large[:1] * 32)),
            lambda: self._refused(predict_request(large[1:])),
            lambda: self._refused(predict_request([b"\xff\xd8\xff" + b"\0" * 1000])),
            self._leaving,
            self._deep,
            self._silent,
        ]
        self._done = threading.Event()
        self.taken: list[int] = []
        self.count = 0
        self._thread = threading.Thread(target=self._send)

    def __enter__(self) -> Abuse:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _send(self) -> None:
        for kind in itertools.cycle(self._kinds):
            if self._done.is_set():
                return
            kind()
            self.count += 1

    def _refused(self, request: PredictRequest) -> None:
        try:
            self._server.predictions.Predict(request, timeout=60)
            self.taken.append(self.count)
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.INVALID_ARGUMENT:
                self.taken.append(self.count)

    def _leaving(self) -> None:
        """Asks for much, and does not wait."""
        call = self._server.predictions.Predict.future(predict_request([b"x"] * 10_000))
        call.cancel()

    def _deep(self) -> None:
        with _connection(self._server) as connection:
            body = b'{"instances": ' + b"[" * 100_000
            connection.request("POST", "/v1/models/classifier:predict", body)
            if connection.getresponse().status != 400:
                self.taken.append(self.count)

    def _silent(self) -> None:
        with socket.create_connection((self._server.host, self._server.rest_port)):
            pass


@contextlib.contextmanager
def _connection(server: ServerAt) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(server.host, server.rest_port, timeout=60)
    try:
        yield connection
    finally:
        connection.close()
