"""The body of an HTTP request: by its length or in chunks, plain or gzipped, never without end."""

from __future__ import annotations

import re
import zlib
from email.message import Message
from http import HTTPStatus
from io import BufferedIOBase

MAX_BODY_BYTES = 2**30
"""Of a request, however it is sent; TensorFlow Serving has no limit."""

MAX_UNZIPPED_BYTES = 100 * 2**20
"""Of a gzipped body (gzip_zlib.h, kMaxUncompressedBytes)."""

_ANY_BYTES, _TIMES = 16 * 2**20, 64
"""A longer body may be so many times what came: a request's cost is bounded by its size."""

_PIECE_BYTES = 2**20
_MAX_LINE_BYTES = 2**16
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]+)[ \t]*(?:;.*)?\r?\n")


class BadRequest(Exception):
    """A request that is no HTTP, to be answered by a page with `status`."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


def read(headers: Message, stream: BufferedIOBase) -> bytes:
    """Reads the body that the headers announce.

    Raises:
        BadRequest: it is over `MAX_BODY_BYTES`, or of no length that can be told.
        OSError: the client left.
    """
    encoding = headers.get("Transfer-Encoding", "").strip().lower()
    if encoding == "chunked":
        body = _chunks(stream)
    elif encoding:
        raise BadRequest(HTTPStatus.BAD_REQUEST)
    else:
        length = headers.get("Content-Length", "0").strip()
        if not re.fullmatch("[0-9]+", length):
            raise BadRequest(HTTPStatus.BAD_REQUEST)
        body = _pieces(stream, int(length), 0)
    return unzipped(body) if "gzip" in headers.get("Content-Encoding", "") else body


def unzipped(body: bytes) -> bytes:
    """Returns what a gzip file holds; nothing where it is none, or holds too much."""
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        most = min(MAX_UNZIPPED_BYTES, _ANY_BYTES + _TIMES * len(body))
        found = reader.decompress(body, most)
    except zlib.error:
        return b""
    return found if reader.eof and not reader.unused_data else b""


def _chunks(stream: BufferedIOBase) -> bytes:
    body = bytearray()
    while True:
        size = _CHUNK_SIZE.fullmatch(stream.readline(_MAX_LINE_BYTES))
        if size is None:
            raise BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)  # as libevent has it
        chunk = _pieces(stream, int(size[1], 16), len(body))
        if not chunk:
            break
        body += chunk
        if stream.readline(_MAX_LINE_BYTES).strip():
            raise BadRequest(HTTPStatus.BAD_REQUEST)
    while stream.readline(_MAX_LINE_BYTES).strip():
        pass  # trailers
    return bytes(body)


def _pieces(stream: BufferedIOBase, size: int, before: int) -> bytes:
    """Reads piece by piece, so that a claimed size alone takes no memory."""
    if before + size > MAX_BODY_BYTES:
        raise BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    body = bytearray()
    while len(body) < size:
        piece = stream.read(min(size - len(body), _PIECE_BYTES))
        if not piece:
            raise ConnectionError("The client left in the middle of a body")
        body += piece
    return bytes(body)
