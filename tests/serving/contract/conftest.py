from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.serving.server_process import ServerAt


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> ServerAt:
    """The server under test: `make test-serving SERVER=HOST:PORT`, else our server.

    It must serve `python -m tests.serving.tiny_model DIR` from DIR as `classifier`.
    """
    from tests.serving.server_process import RemoteServer

    if address := os.environ.get("SERVING_ADDRESS"):
        rest_port = int(os.environ.get("SERVING_REST_PORT", "8501"))
        base_path = os.environ.get("SERVING_BASE_PATH", "/models/classifier")
        return RemoteServer(address, rest_port, base_path)
    ours: ServerAt = request.getfixturevalue("settled")
    return ours
