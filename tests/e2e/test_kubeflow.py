"""All nodes as steps of the Kubeflow pipeline, run for real by Kubeflow's local runner."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline import config
from pipeline.commands.compile import compile_to
from pipeline.commands.run import Request, execute
from serving import versions
from tests.e2e.conftest import SMALL, FirstRun
from tests.kubeflow.conftest import kubeflow_environment  # noqa: F401  # a fixture
from tests.kubeflow.made_order import ROOT, run_locally

pytestmark = pytest.mark.slow

_COMMAND = f"""#!/bin/sh
export PYTHONPATH="{ROOT}"
exec "{sys.executable}" -c "from pipeline.cli import main; main()" "$@"
"""
_OTHER = "training.batch_size=4"  # in the file; the run's parameters override it
_LOOKS = "BaselineResolver"  # a model is served now that was not before: all else is cached


def _write(file: Path, first_run: FirstRun, *assignments: str) -> Path:
    """Writes the shared run's configuration with folders of its own."""
    tree: dict[str, Any] = {}
    folders = [f"push.directory={file.parent}/served", f"runtime.root={file.parent}/root"]
    for assignment in [*SMALL, *folders, *assignments]:
        config.override(tree, assignment)
    config.set_key(tree, "data.source", str(first_run.pictures))
    config.set_key(tree, "runtime.kubeflow", {"image": "python", "step": {"retries": 0}})
    file.write_text(yaml.safe_dump(tree))
    return file


@pytest.mark.usefixtures("kubeflow_environment")
def test_kubeflow_gives_what_the_local_runner_gives_and_its_cache_is_the_same(
    first_run: FirstRun, tmp_path: Path
) -> None:
    file = _write(tmp_path / "config.yaml", first_run, _OTHER)
    compile_to(file, [], "kubeflow", tmp_path / "out.yaml")
    [override] = [assignment for assignment in SMALL if "batch_size" in assignment]
    done = run_locally(tmp_path, _COMMAND, overrides=[override])
    assert done.returncode == 0, done.stdout[-3000:]

    [version] = versions.published(tmp_path / "served")
    assert (version.path / "saved_model.pb").is_file()
    [shown] = tmp_path.glob("artifacts/*/report")
    assert "image-classifier" in (shown / "page").read_text()
    outputs = json.loads((shown / "executor_output.json").read_text())["artifacts"]
    figures = outputs["figures"]["artifacts"][0]["metadata"]
    local = first_run.result["metrics"]
    assert figures["accuracy"] == local["accuracy"]
    assert figures["macro_f1"] == local["macro_f1"]
    assert (figures["gate_passed"], figures["pushed_version"]) == (1, version.number)

    again = execute(Request(config_file=_write(file, first_run)))
    assert again["verdict"] == "unchanged"
    states = {name: node["state"] for name, node in again["components"].items()}
    assert {name for name, state in states.items() if state != "cached"} == {_LOOKS}
