"""Builds a checkout like this one, with a lock of two small packages, in a folder with a space."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checkout_tools import ROOT, interpreters, lines, own_lock

OWN = own_lock()
LOCK = f"constraints/{OWN.name}"
TFX, PYTHON = OWN.stem.removeprefix("tfx-").split("-py")
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
    # The line's Python is found where the one that runs the tests comes from.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.Popen(
        [sys.executable, "tools/bootstrap.py", "setup"],
        cwd=checkout,
        env={**os.environ, "PATH": path, lines.CHOICE: TFX, **environment},
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
    assert setup(checkout).splitlines()[1:] == ["setup: .venv is up to date"]
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
    [site] = venv.glob("lib/python3*/site-packages")
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
    assert setup(checkout).splitlines()[1:] == ["setup: .venv is up to date"]


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


def bare(checkout: Path) -> tuple[Path, dict[str, str]]:
    """Returns a PATH's only folder, with uv, and an environment that leads to no Python."""
    tools = checkout / "bin"
    tools.mkdir()
    (tools / "uv").symlink_to(interpreters.find_uv())
    nowhere = {"HOME": str(checkout), "XDG_CACHE_HOME": str(checkout), "PYENV_ROOT": ""}
    nowhere |= {"XDG_DATA_HOME": "", "UV_PYTHON_DOWNLOADS": "never", "VIRTUAL_ENV": ""}
    return tools, {"PATH": str(tools), **nowhere}


def test_without_a_python_one_sentence_says_so(checkout: Path) -> None:
    _, environment = bare(checkout)
    process = start(checkout, **environment)
    last = process.communicate()[0].splitlines()[-1]
    assert process.returncode == 1
    assert last.startswith(f"setup: this machine can't run the pipeline: TFX {TFX} needs Python ")
    assert " none was found on PATH or in pyenv, and uv could not download one: install it" in last


def test_a_python_without_its_headers_is_named_with_the_package_to_install(checkout: Path) -> None:
    tools, environment = bare(checkout)
    version = f"{PYTHON[0]}.{PYTHON[1:]}"
    found = tools / f"python{version}"
    # Answers as a whole CPython does, but for the probe of its headers.
    found.write_text(
        f'#!/bin/sh\ncase "$2" in *Python.h*) exit 1;; esac\necho CPython {version} $0\n'
    )
    found.chmod(0o755)
    process = start(checkout, **environment)
    last = process.communicate()[0].splitlines()[-1]
    assert process.returncode == 1
    assert f"needs the C headers of Python {version}, which are missing here" in last
    assert "apt-get install python3-dev" in last


def test_without_a_compiler_one_sentence_says_so(checkout: Path) -> None:
    tools, environment = bare(checkout)
    version = f"{PYTHON[0]}.{PYTHON[1:]}"
    (tools / f"python{version}").symlink_to(interpreters.find_python(version) or "")
    process = start(checkout, **environment)
    last = process.communicate()[0].splitlines()[-1]
    assert process.returncode == 1
    assert last.startswith("setup: no C++ compiler was found")


def test_another_line_than_that_of_the_environment_builds_it_anew(checkout: Path) -> None:
    setup(checkout)
    kept = checkout / ".venv" / "kept"
    kept.touch()
    stamp = checkout / ".venv" / "transfer-pipeline.json"
    stamp.write_text(stamp.read_text().replace('"python": "3', '"python": "2'))
    (checkout / LOCK).write_text(pins("setuptools", "idna"))
    assert ".venv is ready" in setup(checkout)
    assert not kept.exists()
