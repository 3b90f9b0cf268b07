"""Writes the DAG file for Airflow, and the JSON file that it reads."""

from __future__ import annotations

import inspect
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from components.errors import ConfigError
from pipeline.config import Config
from pipeline.keys import set_at, set_key

DAG_FILE = Path(__file__).parents[1] / "airflow_dag.py"
_IMPORT = "from pipeline.keys import set_key\n"


def write_dag(compiled: dict[str, Any], config: Config, output: Path) -> None:
    """Writes the DAG file to `output`, with a JSON file of the same name beside it.

    The source of `set_key` takes the place of its import: Airflow's environment lacks this project.

    Args:
      compiled: the compiled TFX pipeline, as `write_compiled` writes it.
      config: what it was compiled from.
      output: a Python file in Airflow's folder of DAGs.

    Raises:
      ConfigError: the file is no Python file, or no command is known that the tasks could call.
    """
    if output.suffix != ".py":
        raise ConfigError(
            f"--output: {output} must end in .py, as Airflow's DAG files do. Name such a file."
        )
    document: dict[str, Any] = {
        "compiled": compiled,
        "config": config.scheduled,
        "root": config.pipeline_root,
        "command": _command(config),
    }
    # The data first: a scheduler that meets the DAG file alone would find an empty one.
    output.with_suffix(".json").write_text(json.dumps(document, indent=1), "utf-8")
    text = DAG_FILE.read_text("utf-8").replace(
        _IMPORT, f"{inspect.getsource(set_key)}\n\n{inspect.getsource(set_at)}"
    )
    output.write_text(text, "utf-8")


def _command(config: Config) -> str:
    """The command in an image is found on PATH there."""
    named = config.runtime.airflow.command
    if named or config.runtime.airflow.image:
        return named or "transfer-pipeline"
    beside = Path(sys.executable).with_name("transfer-pipeline")
    found = str(beside) if beside.is_file() else shutil.which("transfer-pipeline")
    if not found:
        raise ConfigError(
            f"No transfer-pipeline beside {sys.executable} or on PATH: name the one on Airflow's "
            "workers with runtime.airflow.command."
        )
    return found
