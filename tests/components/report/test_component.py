from __future__ import annotations

from pathlib import Path

import pytest

from components.report.component import Report
from tests.components import made_step


def test_another_template_is_another_version_of_the_code(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version() -> str:
        return made_step.driven(made_step.about_to_run(Report))["code_version"]

    before = version()
    monkeypatch.setattr("components.step.code_version._TREE", tree)
    assert version() == before
    template = tree / "components" / "report" / "sections" / "gate.html.j2"
    template.write_text(template.read_text() + "\n")
    assert version() != before
