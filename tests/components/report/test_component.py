from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tfx.types import channel

from components.report import component


def test_another_template_is_another_version_of_the_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version() -> str:
        inputs = component.ReportSpec.INPUTS
        channels = {name: channel.Channel(type=each.type) for name, each in inputs.items()}
        made = component.Report(**channels, configuration="{}")
        return str(made.spec.exec_properties["code_version"])

    before = version()
    templates = shutil.copytree(component.TEMPLATES, tmp_path / "templates")
    monkeypatch.setattr(component, "TEMPLATES", templates)
    assert version() == before
    template = templates / "sections" / "gate.html.j2"
    template.write_text(template.read_text() + "\n")
    assert version() != before
