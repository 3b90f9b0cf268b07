"""Airflow runs every node for real, to a pushed model; the local runner then finds it all done."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline import config
from pipeline.commands.run import Request, execute
from serving import versions
from tests import made_pictures
from tests.airflow.conftest import ROOT, Airflow
from tests.e2e.conftest import SMALL

pytestmark = pytest.mark.slow


def _command(folder: Path) -> Path:
    """The project's command, as the interpreter that runs the tests has it."""
    code = "from pipeline.cli import main; main()"
    path = folder / "transfer-pipeline"
    python = shlex.join([sys.executable, "-c", code])
    path.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {python} "$@"\n')
    path.chmod(0o755)
    return path


def test_airflow_runs_the_pipeline_to_a_pushed_model(airflow: Airflow, tmp_path: Path) -> None:
    served = tmp_path / "served"
    tree: dict[str, Any] = {"pipeline_name": "tiny"}
    for assignment in [
        *SMALL,
        f"data.source={made_pictures.make(tmp_path / 'pictures', 40)}",
        f"push.directory={served}",
        f"runtime.root={tmp_path / 'root'}",
        f"runtime.airflow.command={_command(tmp_path)}",
    ]:
        config.override(tree, assignment)
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(tree))
    target = ["--target", "airflow", "--output", str(airflow.dags / "tiny.py")]
    compiling = [str(tmp_path / "transfer-pipeline"), "compile", "--config", str(file), *target]
    subprocess.run(compiling, check=True, env={**os.environ}, cwd=tmp_path)

    done = airflow.run("airflow", "dags", "test", "tiny", "--conf", '{"training.seed": 7}')
    assert done.returncode == 0, done.stdout[-4000:]
    [version] = versions.published(served)
    assert (version.path / "saved_model.pb").is_file()

    # Same configuration, same artifacts: nothing up to the candidate has to run again.
    local = execute(Request(config_file=file, assignments=["training.seed=7"]))
    assert local["verdict"] == "unchanged"
    before = ["ImageExampleGen", "StatisticsGen", "Transform", "BottleneckGen", "Trainer"]
    assert {local["components"][node]["state"] for node in before} == {"cached"}
