"""The one error that requests end with, as the gRPC code and message TensorFlow Serving sends."""

from __future__ import annotations

import grpc
import tensorflow as tf

CODES = {code.value[0]: code for code in grpc.StatusCode}


class ServingError(Exception):
    """A request, or a version, that ends with `code` and `message`."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def status(self) -> tuple[grpc.StatusCode, str]:
        """The code and the message."""
        return self.code, self.message

    @classmethod
    def of(cls, error: Exception) -> ServingError:
        """The same fault in TensorFlow Serving's terms: TensorFlow's codes are gRPC's."""
        if isinstance(error, ServingError):
            return error
        if isinstance(error, tf.errors.OpError):
            return cls(CODES[error.error_code], error.message)
        return cls(grpc.StatusCode.INTERNAL, f"{type(error).__name__}: {error}")

    @classmethod
    def of_request(cls, error: Exception) -> ServingError:
        """The same fault, met while a request is read or run: what Python refuses is its fault."""
        if isinstance(error, ValueError | TypeError | OverflowError | RecursionError):
            return invalid_argument(f"The request can't be taken: {error}")
        if isinstance(error, MemoryError):
            return cls(grpc.StatusCode.RESOURCE_EXHAUSTED, "The request needs too much memory")
        return cls.of(error)


def invalid_argument(message: str) -> ServingError:
    return ServingError(grpc.StatusCode.INVALID_ARGUMENT, message)


def servable_not_found(name: str, version: int | None) -> ServingError:
    asked = f"Latest({name})" if version is None else f"Specific({name}, {version})"
    return ServingError(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {asked}")
