"""Builds a checkout like this one, with a lock of two small packages, in a folder with a space."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCK = "constraints/tfx-1.16-py310.txt"
PROJECT = "from setuptools import setup\nsetup(name='transfer-pipeline', packages=[])\n"


def pins(*names: str) -> str:
    """Cuts packages with their hashes out of the project's own lock."""
    text = (ROOT / LOCK).read_text()
    found = [re.search(rf"^{name}==(?:.*\\\n)+.*\n", text, re.MULTILINE) for name in names]
    return "".join(match.group() for match in found if match)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "a checkout"
    shutil.copytree(ROOT / "tools", folder / "tools")
    (folder / "constraints").mkdir()
    shutil.copy(ROOT / "constraints" / "build.txt", folder / "constraints")
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "setup.py").write_text(PROJECT)
    (folder / LOCK).write_text(pins("setuptools", "six"))
    return folder


def start(checkout: Path, **environment: str) -> subprocess.Popen[str]:
    # Python 3.10 is found where the one that runs the tests comes from.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.Popen(
        [sys.executable, "tools/bootstrap.py", "setup"],
        cwd=checkout,
        env={**os.environ, "PATH": path, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def setup(checkout: Path, **environment: str) -> str:
    process = start(checkout, **environment)
    output = process.communicate()[0]
    assert process.returncode == 0, output
    return output


def imports(checkout: Path, module: str) -> bool:
    python = checkout / ".venv" / "bin" / "python"
    return subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode == 0


def test_a_finished_environment_is_left_alone(checkout: Path) -> None:
    assert ".venv is ready" in setup(checkout)
    assert imports(checkout, "six")
    stamp = checkout / ".venv" / "transfer-pipeline.json"
    before = stamp.stat().st_mtime_ns
    assert setup(checkout) == "setup: .venv is up to date\n"
    assert stamp.stat().st_mtime_ns == before


def test_another_lock_changes_the_environment_in_place(checkout: Path) -> None:
    (checkout / LOCK).write_text(pins("setuptools", "idna"))
    setup(checkout)
    kept = checkout / ".venv" / "kept"
    kept.touch()
    (checkout / LOCK).write_text(pins("setuptools", "six"))
    setup(checkout)
    assert imports(checkout, "six")
    assert not imports(checkout, "idna")
    assert kept.exists()


@pytest.mark.parametrize("damage", ["interpreter", "package", "interrupted", "moved"])
def test_a_broken_environment_is_built_anew(checkout: Path, damage: str) -> None:
    setup(checkout)
    venv = checkout / ".venv"
    site = venv / "lib" / "python3.10" / "site-packages"
    if damage == "interpreter":
        (venv / "bin" / "python").unlink()
    elif damage == "package":
        shutil.rmtree(next(site.glob("six-*.dist-info")))
        (site / "six.py").unlink()
    elif damage == "interrupted":
        (venv / "transfer-pipeline.json").unlink()
        # Removed first: a file of the environment may be one with the file in uv's cache.
        (site / "six.py").unlink()
        (site / "six.py").write_text("half a f")
    else:
        checkout = checkout.rename(checkout.with_name("another place"))
    assert ".venv is ready" in setup(checkout)
    assert imports(checkout, "six")
    assert setup(checkout) == "setup: .venv is up to date\n"


def test_a_tampered_package_is_refused(checkout: Path) -> None:
    lock = checkout / LOCK
    lock.write_text(re.sub(r"(?<=sha256:)\w{64}", "0" * 64, pins("six")))
    process = start(checkout)
    assert "Hash mismatch" in process.communicate()[0]
    assert process.returncode == 1


def test_two_at_once_both_end_well(checkout: Path) -> None:
    processes = [start(checkout), start(checkout)]
    outputs = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert sum(".venv is ready" in output for output in outputs) == 1
    assert imports(checkout, "six")


def test_without_a_python_or_a_compiler_one_sentence_says_so(checkout: Path) -> None:
    tools = checkout / "bin"
    tools.mkdir()
    find = "import interpreters; print(interpreters.find_uv())"
    uv = subprocess.run(
        [sys.executable, "-c", find], cwd=ROOT / "tools", capture_output=True, text=True, check=True
    )
    (tools / "uv").symlink_to(uv.stdout.strip())
    bare = {"PATH": str(tools), "HOME": str(checkout), "PYENV_ROOT": "", "XDG_DATA_HOME": ""}
    bare |= {"UV_PYTHON_DOWNLOADS": "never", "VIRTUAL_ENV": ""}
    process = start(checkout, **bare)
    output = process.communicate()[0]
    assert output.splitlines()[1].startswith("setup: no C++ compiler was found")
    (tools / "c++").symlink_to("/bin/true")
    process = start(checkout, **bare)
    output = process.communicate()[0]
    assert process.returncode == 1
    assert output.splitlines()[1:] == [
        "setup: no Python 3.10 with its C headers was found on PATH or in pyenv, and uv could not "
        "download one: install it (for example with `pyenv install 3.10`), then try again."
    ]
