from __future__ import annotations

from pathlib import Path

import pytest

from serving.options import ServeOptions
from tests.explains import refused


@pytest.mark.parametrize("ports", [{"port": 70_000}, {"rest_port": 65_536}, {"port": -1}])
def test_a_port_that_there_is_not_is_refused(ports: dict[str, int]) -> None:
    with refused(ValueError, found="no port -?[0-9]+", allowed="from 1 to 65535", next="name one"):
        ServeOptions(Path("pushed"), **ports)
