"""What tests of the ingest share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest


@pytest.fixture
def nobody() -> Iterator[None]:
    """Root may read everything, so the test is run by somebody else. Name it last."""
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)
    yield
    os.seteuid(me)
