"""The base install: client and command, in a virtual environment that has nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.checkout_tools import ROOT, interpreters, own_lock
from tests.serving.conftest import processes, saved_model, server, settled
from tests.serving.samples import png
from tests.serving.server_process import ServerProcess

__all__ = ["processes", "saved_model", "server", "settled"]

HEAVY = (
    "tensorflow",
    "keras",
    "tensorflow_serving",
    "tfx",
    "tensorflow_transform",
    "apache_beam",
    "ml_metadata",
    "tensorflow_model_analysis",
)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of that environment, with the versions of the project's lock."""
    folder = tmp_path_factory.mktemp("client")
    uv, environment = interpreters.find_uv(), interpreters.uv_environment()
    subprocess.run(
        [uv, "venv", "--quiet", "--no-project", "--python", sys.executable, folder / "venv"],
        check=True,
        env=environment,
    )
    python = folder / "venv" / "bin" / "python"
    lock = _without_hashes(folder)
    install = [uv, "pip", "install", "--quiet", "--python", python, "--constraint", lock]
    subprocess.run([*install, ROOT], check=True, env=environment)
    return python


def _without_hashes(folder: Path) -> Path:
    """The lock's versions alone: uv takes hashes for all packages or for none."""
    lines = own_lock().read_text().splitlines()
    pins = [line.split("\\")[0].strip() for line in lines if "==" in line and line[0].isalnum()]
    path = folder / "constraints.txt"
    path.write_text("\n".join(pins))
    return path


def run(python: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [python, *words], capture_output=True, text=True, cwd=python.parent, env=environment
    )


@pytest.mark.slow
def test_it_asks_a_server_without_tfx(python: Path, server: ServerProcess, tmp_path: Path) -> None:
    absent = f"import importlib.util as u; print([m for m in {HEAVY} if u.find_spec(m)])"
    assert run(python, "-c", absent).stdout == "[]\n"
    (tmp_path / "a.png").write_bytes(png())
    command = str(python.with_name("transfer-pipeline"))
    done = run(python, command, "classify", "--json", "--server", server.address, str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["classes"]) == 3
    served = tmp_path / "served" / "1"
    served.mkdir(parents=True)
    (served / "saved_model.pb").touch()
    for words in (["versions", "--model-dir", str(served.parent)], ["serve", "--help"]):
        assert run(python, command, *words).returncode == 0


@pytest.mark.slow
def test_a_run_without_the_extra_says_what_to_install(python: Path, tmp_path: Path) -> None:
    for number in range(20):
        path = tmp_path / "pictures" / ("cats", "dogs")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(Image.new("RGB", (32, 32), (number, 0, 0))))
    command = str(python.with_name("transfer-pipeline"))
    words = ["--data", str(tmp_path / "pictures"), "--root", str(tmp_path / "runs")]
    words += ["--set", "model.weights=null", "--set", "data.min_pictures=0"]
    words += ["--set", "training.batch_size=4"]
    done = run(python, command, "run", *words)
    assert done.returncode != 0
    assert "transfer-pipeline[pipeline]" in done.stderr


@pytest.mark.slow
def test_the_server_for_development_says_which_extra_it_needs(python: Path, tmp_path: Path) -> None:
    command = str(python.with_name("transfer-pipeline"))
    done = run(python, command, "serve", "--model-dir", str(tmp_path), "--local")
    assert done.returncode == 1
    assert "transfer-pipeline[server]" in done.stderr
