"""Every server of the contract answers as TensorFlow Serving did once.

golden.json holds what tensorflow_model_server r2.16 answered for the tiny model: codes, messages
(their first lines) and REST bodies, each cut after some hundred characters, white space as one
blank.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.serving.contract.asking import Answer
from tests.serving.contract.questions import QUESTIONS
from tests.serving.server_process import RemoteServer, ServerAt

GOLDEN: dict[str, Answer] = {
    entry.pop("ask"): entry
    for entry in json.loads(Path(__file__).with_name("golden.json").read_text())
}
DOCUMENTED = {"REST GET /": {"status": 200, "type": "text/html; charset=utf-8"}}
"""Where the local server means to differ: see docs/serving.md."""

CUT = {"details": 400, "answer": 400, "body": 300}
"""Characters of each text that golden.json holds."""

RACE = [  # a scalar fails in two nodes at once; one comes first
    (
        "Tensor must be at least a vector, but saw shape: []",
        "slice index 0 of dimension 0 out of bounds.",
    ),
    (
        "out of bounds.\\n\\t [[{{function_node __inference_serving_default_#}}"
        "{{node map/TensorArrayUnstack/TensorListFromTensor}}]]",
        "out of bounds.\\n\\t [[{{function_node __inference_serving_default_#}}"
        "{{node map/strided_slice}}]]",
    ),
]

FLOAT = re.compile(r"(-?\d+\.\d+(?:e[-+]?\d+)?)")


def loosened(text: str) -> str:
    """Returns the text without what is not the server's own.

    That is the words of the JSON parser, the numbers that TensorFlow gives its functions, the
    picture formats that a newer TensorFlow knows besides, and which of two kernels was faster.
    """
    text = re.sub(r"(JSON Parse error: )(?!The document is empty)(?:[^\"\\]|\\.)*", r"\1", text)
    text = re.sub(r"\{\{.*?\}\}", lambda frame: re.sub(r"\d+", "#", frame[0]), text)
    for other, golden in RACE:
        text = text.replace(other, golden)
    return re.sub(r"file format. One of [\w, ]+ required", "file format", text)


def assert_same_text(got: str, wanted: str, limit: int) -> None:
    """Compares texts exactly but for their floats, which are equal to the sixth digit."""
    got_parts, wanted_parts = FLOAT.split(loosened(got)), FLOAT.split(loosened(wanted))
    if len(wanted) == limit:
        *wanted_parts, start = wanted_parts
        if start == "":  # the cut goes through a float
            *wanted_parts, start = wanted_parts[:-1]
        assert "".join(got_parts[len(wanted_parts) :]).startswith(start)
        got_parts = got_parts[: len(wanted_parts)]
    assert got_parts[::2] == wanted_parts[::2]
    assert [float(part) for part in got_parts[1::2]] == [
        pytest.approx(float(part), rel=1e-6) for part in wanted_parts[1::2]
    ]


def assert_same_body(got: str, wanted: str) -> None:
    """Compares JSON by its values and its layout, since C++ orders no keys; other text as such."""
    got, wanted = loosened(got), loosened(wanted)
    try:
        got_values, wanted_values = json.loads(got), json.loads(wanted)
    except ValueError:
        assert_same_text(got, wanted, CUT["body"])
        return
    assert got_values == approximately(wanted_values)
    assert sorted(FLOAT.sub("#", got)) == sorted(FLOAT.sub("#", wanted))


def approximately(values: Any) -> Any:
    match values:
        case float():
            return pytest.approx(values, rel=1e-6)
        case dict():
            return {key: approximately(value) for key, value in values.items()}
        case list():
            return [approximately(value) for value in values]
    return values


def assert_same_metadata(got: str, wanted: str) -> None:
    """Compares the head, and the signature that comes first in C++'s order, as far as it is cut."""
    head, _, first = wanted.rpartition('"signature_def": { ')
    assert got.startswith(head)
    assert first in got


def test_every_golden_answer_has_its_question() -> None:
    assert QUESTIONS.keys() == GOLDEN.keys()
    assert len(GOLDEN) == 301


@pytest.mark.parametrize("name", GOLDEN)
def test_the_answer_is_tensorflow_servings_own(name: str, server: ServerAt) -> None:
    got, wanted = QUESTIONS[name](server), GOLDEN[name]
    if name in DOCUMENTED and not isinstance(server, RemoteServer):
        assert DOCUMENTED[name].items() <= got.items()
        return
    assert got.keys() == wanted.keys(), got
    for key in wanted.keys() & {"code", "status"}:
        assert got[key] == wanted[key], got
    if wanted.get("type"):  # of the chunked one it was not written down
        assert got["type"] == wanted["type"]
    for key in wanted.keys() & {"details", "answer"}:
        assert_same_text(got[key], wanted[key], CUT[key])
    if "body" in wanted and '"metadata": {' in wanted["body"]:
        assert_same_metadata(got["body"], wanted["body"])
    elif "body" in wanted:
        assert_same_body(got["body"], wanted["body"])
