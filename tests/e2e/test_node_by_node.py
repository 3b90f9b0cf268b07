"""A compiled pipeline runs node by node, each in a process of its own, as a scheduler runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pipeline import config
from serving import versions
from tests import made_pictures
from tests.e2e.conftest import SMALL

_COMMAND = [sys.executable, "-c", "from pipeline.cli import main; main()"]


def _call(*words: str) -> None:
    done = subprocess.run([*_COMMAND, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.slow
def test_every_node_in_its_own_process_and_a_repeated_one_publishes_once(tmp_path: Path) -> None:
    tree: dict = {}
    served = tmp_path / "served"
    pictures = made_pictures.make(tmp_path / "pictures", 40)
    for assignment in [
        *SMALL,
        f"data.source={pictures}",
        f"push.directory={served}",
        f"runtime.root={tmp_path / 'root'}",
    ]:
        config.override(tree, assignment)
    file, compiled = tmp_path / "config.yaml", tmp_path / "compiled.json"
    file.write_text(yaml.safe_dump(tree))
    _call("compile", "--config", str(file), "--target", "tfx", "--output", str(compiled))

    nodes = [
        node["pipelineNode"]["nodeInfo"]["id"] for node in json.loads(compiled.read_text())["nodes"]
    ]
    assert {"ImageExampleGen", "Trainer", "Evaluator", "Pusher"} <= set(nodes)
    for node in [*nodes, "Pusher"]:
        _call("run-node", "--pipeline", str(compiled), "--node", node, "--run-id", "monday")
    [version] = versions.published(served)
    assert (version.path / "saved_model.pb").is_file()
