"""The environment that has Airflow, built where missing, and a home folder for it."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_BIN = ROOT / ".venv-airflow" / "bin"


@dataclasses.dataclass(frozen=True)
class Airflow:
    """Airflow with a database and a folder of DAGs of its own."""

    home: Path

    @property
    def dags(self) -> Path:
        """The folder of DAGs."""
        return self.home / "dags"

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs one of the environment's programs: `airflow` or `python`."""
        own = {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
            # What else is in this environment must not be needed.
            "PYTHONPATH": "",
        }
        return subprocess.run(
            [str(_BIN / words[0]), *words[1:]],
            env={**os.environ, **own},
            cwd=self.home,
            capture_output=True,
            text=True,
        )


@pytest.fixture(scope="session")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Airflow:
    """An Airflow that has run nothing yet."""
    command = [sys.executable, str(ROOT / "tools" / "bootstrap.py"), "airflow-setup"]
    subprocess.run(command, check=True)
    made = Airflow(tmp_path_factory.mktemp("airflow"))
    made.dags.mkdir()
    done = made.run("airflow", "db", "migrate")
    assert done.returncode == 0, done.stderr[-2000:]
    return made
