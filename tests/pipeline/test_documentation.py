"""What the documentation says of the configuration is true."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from pipeline import config

_DOCS = Path(__file__).parents[2] / "docs"


def test_the_documented_configuration_is_every_key_with_its_default() -> None:
    text = (_DOCS / "configuration.md").read_text("utf-8")
    [block] = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    documented = yaml.safe_load(block)
    required = {"data": {"source": "PATH"}, "push": {"directory": "PATH"}}
    assert documented == config.build(required).model_dump()
