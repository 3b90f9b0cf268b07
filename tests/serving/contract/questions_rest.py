"""The questions of golden.json that go over REST; their names begin with their bodies."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

from tests.serving.contract.asking import Question, rest
from tests.serving.contract.grpc_requests import BLUE, RED

MODEL = "/v1/models/classifier"
MINUS_INFINITY = float("-inf")


def picture(data: bytes = RED) -> dict[str, str]:
    return {"b64": base64.b64encode(data).decode()}


def spaced(data: bytes, space: str) -> dict[str, str]:
    """Returns standard base64 with white space in its middle and at its end."""
    text = picture(data)["b64"]
    return {"b64": text[:80] + space + text[80:] + space}


def examples(*listed: Any, **more: Any) -> dict[str, Any]:
    return {"signature_name": "serve_examples", "examples": [*listed], **more}


def encoded(data: bytes = RED, **before: Any) -> dict[str, Any]:
    """Returns an example with the picture after other features."""
    return {**before, "image/encoded": picture(data)}


TWO = {"instances": [picture(RED), picture(BLUE)]}

REFUSED: list[tuple[str, Any]] = [
    (f"{MODEL}:predict", b""),
    (f"{MODEL}:predict", b"{"),
    (f"{MODEL}:predict", b"[" * 100_000),
    (f"{MODEL}:predict", [1]),
    (f"{MODEL}:predict", {}),
    (f"{MODEL}:predict", {"inputs": [], "instances": []}),
    (f"{MODEL}:predict", {"instances": []}),
    (f"{MODEL}:predict", {"instances": [{"b64": "?"}]}),
    (f"{MODEL}:predict", {"instances": [{"images": "x"}]}),
    (f"{MODEL}:predict", {"instances": [{"inputs": "x"}, "x"]}),
    (f"{MODEL}:predict", {"instances": [["x"], "x"]}),
    (f"{MODEL}:predict", {"instances": [1.5]}),
    (f"{MODEL}:predict", {"instances": [picture(b"no picture")]}),
    (f"{MODEL}:predict", {"signature_name": 1, "inputs": 1}),
    (f"{MODEL}:predict", {"signature_name": "s", "inputs": ["x"]}),
    (f"{MODEL}:predict", {"signature_name": "busy", "inputs": {"seconds": "x"}}),
    ("/v1/models/m:predict", {"inputs": 1}),
    (f"{MODEL}/versions/7:predict", {"inputs": 1}),
    (f"{MODEL}/versions/{2**70}:predict", {"inputs": 1}),
    (f"{MODEL}/labels/x:predict", {"inputs": 1}),
    (f"{MODEL}:explain", {"inputs": 1}),
    (f"{MODEL}:classify", b"{"),
    (f"{MODEL}:classify", {"examples": []}),
    (f"{MODEL}:classify", {"examples": [1]}),
    (f"{MODEL}:classify", {"examples": [{"x": None}]}),
    (f"{MODEL}:classify", {"examples": [{"x": [1, "1"]}]}),
    (f"{MODEL}:classify", {"examples": [{"x": 2**70}]}),
    (f"{MODEL}:classify", {"signature_name": "s", "examples": [{}]}),
    ("/v1/models/m:classify", {"examples": [{}]}),
    ("/v2/models", {}),
]

FORMS: list[Any] = [
    {"instances": [{"inputs": picture()}]},
    {"inputs": [picture()]},
    {"inputs": {"inputs": [picture()]}},
    {"signature_name": "serving_default", "inputs": [picture()]},
    {"inputs": picture()},
    {"instances": picture()},
    {"instances": [{"inputs": picture(), "x": 1}]},
    {"inputs": {"x": [picture()]}},
    {"inputs": {}},
    {"inputs": []},
    {"inputs": None},
    {"instances": [None]},
    {"instances": [[picture()]]},
    {"instances": ["not b64"]},
    {"instances": [{"b64": "a"}]},
    {"instances": [{"b64": "__77"}]},
    {"instances": [spaced(RED, "\n")]},
    {"instances": [spaced(RED, " ")]},
    {"instances": [{"b64": 5}]},
    {"instances": [{"b64": "YQ==", "y": 1}]},
    {"instances": [True]},
    {"instances": [1]},
    {"instances": [{}]},
    {"extra": 1, "inputs": [picture()]},
    {"signature_name": "", "inputs": [picture()]},
    {"signature_name": None, "inputs": [picture()]},
]

BUSY: list[Any] = [
    {"seconds": 0},
    {"seconds": 0.0},
    {"seconds": "0"},
    {"seconds": [0]},
    {"seconds": True},
    {"seconds": None},
    {"seconds": MINUS_INFINITY},
    {"seconds": -1e39},
    {"seconds": -16777217},
    0,
    [0],
    {"seconds": {"b64": "YQ=="}},
]

CLASSIFY: list[Any] = [
    examples(encoded()),
    examples({}, context={"image/encoded": picture(BLUE)}),
    examples(context={"image/encoded": [picture(BLUE)]}),
    examples({"image/encoded": "x"}),
    examples({}),
    {"signature_name": "serve_examples", "examples": 1},
    {"examples": [encoded()]},
    {"signature_name": "serving_default", "examples": [encoded()]},
    {"signature_name": "busy", "examples": [encoded()]},
    examples(encoded(), 1),
    {"signature_name": "serve_examples"},
    examples({"image/encoded": [picture(), 1]}),
    examples(encoded(x=True)),
    examples(encoded(x=[])),
    examples(encoded(x=[[1]])),
    examples(encoded(x=[1, 1.5])),
    [1],
    {},
]

TEXTS: dict[str, bytes] = {
    "busy NaN": b'{"signature_name":"busy","inputs":{"seconds":NaN}}',
    "busy Infinity": b'{"signature_name":"busy","inputs":{"seconds":-Infinity}}',
    "busy instances scalar": b'{"signature_name":"busy","instances":[0]}',
    "comment": b'{"signature_name":"busy", /* c */ "inputs":0}',
    "trailing comma": b'{"signature_name":"busy","inputs":0,}',
    "trailing data": b'{"signature_name":"busy","inputs":0} x',
    "duplicate key": b'{"signature_name":"busy","inputs":0,"inputs":"x"}',
    "latin1": b'{"signature_name":"b\xff","inputs":0}',
    "control char": b'{"signature_name":"b\x01","inputs":0}',
    "bom": b'\xef\xbb\xbf{"signature_name":"busy","inputs":0}',
    "single quotes": b"{'signature_name':'busy','inputs':0}",
    "large 12 MB": b'{"signature_name":"busy","inputs":0,"x":"' + b"x" * 12_000_000 + b'"}',
}

GET = [
    "/v1/models/classifier",
    "/v1/models/classifier/versions/3",
    "/v1/models/classifier/versions/7",
    "/v1/models/classifier/metadata",
    "/v1/models/classifier/versions/3/metadata",
    "/v1/models/classifier/versions/7/metadata",
    "/v1/models/classifier/labels/x",
    "/v1/models/classifier/labels/x/metadata",
    "/v1/models/m",
    "/v1/models/m/metadata",
    "/v1/models",
    "/v1/models/",
    "/v1/",
    "/",
    "/v1/models/classifier/",
    "/v1/models/classifier/x",
    "/v1/models/classifier/versions/x",
    "/v1/models/classifier/versions/",
    "/v1/models/classifier:predict",
    "/v1/models/classifier?x=1",
    "/v1/models/classifier%2Fmetadata",
    "/v1/models/class%69fier",
    "/v1/models/class%zzifier",
    "/v1/models/classifier/versions/99999999999999999999",
    "/v1/models/classifier/versions/-1",
    "/v1/models/classifier/versions/03",
    "/monitoring/prometheus/metrics",
    "//v1/models/classifier",
    "/V1/models/classifier",
    "/v1/models/classifier/versions/3/labels/x",
    "/v1/models/a/b",
    "/v1/models/a/b:predict",
    "/healthz",
]

POST = [
    "/v1/models/classifier",
    "/v1/models/classifier/metadata",
    "/v1/models",
    "/",
    "/v1/models/classifier:",
    "/v1/models/classifier:predict/",
    "/v1/models/classifier/versions/3/metadata:predict",
]

OTHERS = [
    (method, path)
    for method in ("PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "FOO")
    for path in (MODEL, f"{MODEL}:predict")
]

GZIP = {"Content-Encoding": "gzip"}
ZIPPED = gzip.compress(json.dumps(TWO).encode())
PREDICT = "POST", f"{MODEL}:predict"

REST: dict[str, Question] = {
    **{
        f"REST refused {at} {path} {str(body)[:90]}": rest("POST", path, body)
        for at, (path, body) in enumerate(REFUSED)
    },
    "REST instances": rest(*PREDICT, TWO),
    **{f"REST form {at} {str(body)[:60]}": rest(*PREDICT, body) for at, body in enumerate(FORMS)},
    **{
        f"REST busy {at} {body}": rest(*PREDICT, {"signature_name": "busy", "inputs": body})
        for at, body in enumerate(BUSY)
    },
    **{f"REST {name}": rest(*PREDICT, text) for name, text in TEXTS.items()},
    **{
        f"REST classify {at} {str(body)[:70]}": rest("POST", f"{MODEL}:classify", body)
        for at, body in enumerate(CLASSIFY)
    },
    "REST regress": rest("POST", f"{MODEL}:regress", examples(encoded())),
    "REST regress empty": rest("POST", f"{MODEL}:regress", {"examples": [{}]}),
    **{f"REST GET {path}": rest("GET", path) for path in GET},
    **{f"REST POST {path}": rest("POST", path, {}) for path in POST},
    **{f"REST {method} {path}": rest(method, path) for method, path in OTHERS},
    "REST content type xml": rest(*PREDICT, TWO, {"Content-Type": "application/xml"}),
    "REST gzip body": rest(*PREDICT, ZIPPED, GZIP),
    "REST gzip broken body": rest(*PREDICT, ZIPPED[:-20], GZIP),
    "REST accept gzip": rest(*PREDICT, TWO, {"Accept-Encoding": "gzip"}),
    "REST cors": rest(*PREDICT, TWO, {"Origin": "http://localhost"}),
    "REST chunked": rest(*PREDICT, tuple(part.encode() for part in json.dumps(TWO).partition(","))),
    "REST expect 100": rest(*PREDICT, TWO, {"Expect": "100-continue"}),
}
