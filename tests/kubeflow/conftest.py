"""The environment that has Kubeflow's SDK is built where it is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.kubeflow.made_order import ROOT


@pytest.fixture(scope="session")
def kubeflow_environment() -> None:
    command = [sys.executable, str(ROOT / "tools" / "bootstrap.py"), "kubeflow-setup"]
    subprocess.run(command, check=True)
