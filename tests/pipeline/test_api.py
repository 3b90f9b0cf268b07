"""The public Python surface."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import pipeline
from tests import made_pictures
from tests.e2e.conftest import SMALL
from tests.explains import refused

_ROOT = Path(__file__).resolve().parents[2]
_SNIPPETS = re.findall(r"```python\n(.*?)```", (_ROOT / "docs/python.md").read_text(), re.DOTALL)


def test_importing_the_package_imports_nothing_else() -> None:
    code = (
        "import sys; before = set(sys.modules); import pipeline; print(set(sys.modules) - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=_ROOT, capture_output=True, text=True, check=True
    )
    imported = {name.split(".")[0] for name in eval(done.stdout)}
    assert not imported & {"pydantic", "yaml", "components", "serving", "numpy", "tfx"}
    assert "pipeline.api" not in done.stdout


def test_every_public_name_is_there_and_is_documented() -> None:
    for name in pipeline.__all__:
        assert getattr(pipeline, name).__doc__
        assert f"`{name}`" in (_ROOT / "docs/python.md").read_text(), name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = pipeline.nothing


def test_keys_alone_make_a_configuration_as_the_command_would(tmp_path: Path) -> None:
    found = pipeline.load(keys={"data.source": "p", "runtime.root": "/r"})
    assert found.push.directory == "/r/served/image-classifier"
    assert pipeline.load(preset="solar-cells", keys={"data.source": "p"}).data.source == "p"
    with refused(
        pipeline.UserError,
        found="A file and a preset",
        allowed="exclude each other",
        next="name one",
    ):
        pipeline.load(tmp_path / "x.yaml", preset="solar-cells")
    with refused(
        pipeline.UserError,
        found="data: is missing",
        allowed="a section is needed; for example {source: pictures/}",
        next="Add it",
    ):
        pipeline.load()


def test_a_run_that_can_not_start_raises(tmp_path: Path) -> None:
    config = pipeline.load(
        keys={"data.source": str(tmp_path / "none"), "runtime.root": str(tmp_path / "runs")}
    )
    with refused(
        pipeline.UserError,
        found=r"data\.source: no folder .*none",
        allowed="one folder of pictures per class",
        next="Name a folder",
    ):
        pipeline.run(config)


@pytest.mark.slow
def test_the_documented_snippets_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tree: dict[str, Any] = {}
    from pipeline import config

    made_pictures.make(tmp_path / "pictures", 40)
    for assignment in [*SMALL, "data.source=pictures", "push.directory=served"]:
        config.override(tree, assignment)
    config.set_key(tree, "runtime.root", "runs")
    Path("pets.yaml").write_text(yaml.safe_dump(tree))
    names: dict[str, Any] = {}
    for snippet in _SNIPPETS:
        exec(snippet, names)
    assert names["result"]["verdict"] == "pushed"
    assert "Trainer" in [node.id for node in names["pipeline"].components]
