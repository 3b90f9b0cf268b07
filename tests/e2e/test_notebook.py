"""docs/notebook.ipynb runs from its first cell to its last."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.conftest import SMALL, FirstRun

_NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebook.ipynb"


def test_the_notebook_runs_on_the_shared_run(first_run: FirstRun, tmp_path: Path) -> None:
    cells = [cell for cell in json.loads(_NOTEBOOK.read_text("utf-8"))["cells"] if _is_code(cell)]
    assert cells[0]["metadata"]["tags"] == ["parameters"]
    assert not any(cell["outputs"] for cell in cells)
    names: dict[str, Any] = {}
    exec("".join(cells[0]["source"]), names)
    pairs = (assignment.partition("=") for assignment in SMALL)
    names["keys"] = {key: yaml.safe_load(value) for key, _, value in pairs}
    names["keys"]["push.directory"] = str(tmp_path / "served")  # other tests push to the shared one
    names["pictures"], names["root"] = str(first_run.pictures), str(first_run.root)
    for cell in cells[1:]:
        exec("".join(cell["source"]), names)
    assert names["found"]["accepted"] == 120
    assert names["result"]["verdict"] == "pushed"
    assert names["line"]["verdict"] == "pushed"  # the oldest run of the root is the shared one


def _is_code(cell: dict[str, Any]) -> bool:
    return bool(cell["cell_type"] == "code")
