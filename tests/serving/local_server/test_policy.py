from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelConfig

from serving.local_server.policy import aspired_versions

LIVE = {number: Path(f"/models/{number}") for number in (7, 5, 3)}


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [
        ("", {7}),
        ("latest {}", {7}),
        ("latest { num_versions: 2 }", {7, 5}),
        ("latest { num_versions: 9 }", {7, 5, 3}),
        ("all {}", {7, 5, 3}),
        ("specific { versions: 3 versions: 7 }", {3, 7}),
        ("specific { versions: 4 }", set()),
        ("specific { versions: 9 }", set()),
    ],
)
def test_the_policy_chooses_among_those_on_disk(policy: str, wanted: set[int]) -> None:
    config = text_format.Parse(f"model_version_policy {{ {policy} }}", ModelConfig())
    found = aspired_versions(LIVE, config)
    assert found == {number: Path(f"/models/{number}") for number in wanted}
