"""Builds the environments of a checkout from their locks: `python3 tools/bootstrap.py setup`.

Needs any Python 3.6 or newer and nothing installed. Writes to the checkout and to the user's
cache folder only. Run again, it finds out in a moment that nothing changed; interrupted or
broken environments are built anew.
"""

import argparse
import fcntl
import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

from interpreters import (
    SetupError,
    attempt,
    exit_code,
    find_uv,
    first_python,
    require_compiler,
    uv_environment,
)
from lines import LINES, NEWEST, Line, choose

ROOT = Path(__file__).resolve().parent.parent
STAMP = "transfer-pipeline.json"


class Environment(NamedTuple):
    """One virtual environment of the checkout."""

    folder: str
    lock: str  # constraints/<lock>.txt
    source: str  # what the lock is written from, constraints/<source>.in
    pythons: List[str]  # the first that is found is taken
    has_project: bool  # TFX and the project itself, editable, are installed into it
    compile_options: List[str]  # what `uv pip compile` needs besides


def pipeline_environment(line: Line, python: str) -> Environment:
    """Returns the environment `.venv` on one line of TFX and one of its Pythons."""
    return Environment(
        folder=".venv",
        lock=line.lock(python),
        source="tfx-" + line.tfx,
        pythons=[python],
        has_project=True,
        compile_options=["setup.py"]
        + ["--extra=" + extra for extra in line.extras]
        + ["--python-version=" + python, "--python-platform=" + line.platform],
    )


def _beside(name: str) -> Environment:
    # A lock for every Python from 3.10 on: the one that built .venv will always do.
    return Environment(
        folder=".venv-" + name,
        lock=name,
        source=name,
        pythons=["3.13", "3.12", "3.11", "3.10"],
        has_project=False,
        compile_options=["--universal", "--python-version=3.10"],
    )


BESIDE = {name: _beside(name) for name in ("kubeflow", "airflow", "docs")}
"""By their names, what a line of TFX that lacks the extra can't have in `.venv`."""

# No environment of the checkout: kubeflow/Dockerfile adds it to the image for GPUs.
CUDA = Environment(
    folder="",
    lock="cuda",
    source="cuda",
    pythons=NEWEST.pythons,
    has_project=False,
    compile_options=["--no-deps", "--python-version=" + NEWEST.pythons[0]]
    + ["--python-platform=" + NEWEST.platform],
)


def run_uv(arguments: List[str]) -> None:
    """Runs uv; raises SetupError where it fails. Its output goes to the terminal."""
    if subprocess.call([find_uv()] + arguments, cwd=str(ROOT), env=uv_environment()) != 0:
        raise SetupError(f"uv {' '.join(arguments[:2])} failed; the reason is above.")


def inputs_digest(environment: Environment) -> str:
    """Returns a digest of what an environment is made from, and of where it stands."""
    digest = hashlib.sha256(str(ROOT).encode())
    digest.update((ROOT / "constraints" / (environment.lock + ".txt")).read_bytes())
    if environment.has_project:
        digest.update((ROOT / "setup.py").read_bytes())
    return digest.hexdigest()


def installed(folder: Path) -> List[str]:
    """Returns the names of the packages' metadata folders in a virtual environment."""
    return sorted(path.name for path in folder.glob("lib/python3*/site-packages/*.dist-info"))


def read_stamp(folder: Path) -> Dict[str, Any]:
    """Returns the record of a finished environment, {} where none was finished."""
    try:
        stamp = json.loads((folder / STAMP).read_text())
    except (OSError, ValueError):
        return {}
    works = attempt([str(folder / "bin" / "python"), "-c", "print(1)"])
    return stamp if works and set(stamp["installed"]) <= set(installed(folder)) else {}


def build(environment: Environment) -> None:
    """Brings an environment to the state its lock describes."""
    folder = ROOT / environment.folder
    stamp, wanted = read_stamp(folder), inputs_digest(environment)
    if stamp.get("inputs") == wanted:
        print(f"setup: {environment.folder} is up to date")
        return
    print(f"setup: building {environment.folder}", flush=True)
    if environment.has_project:
        require_compiler()
    if stamp and stamp.get("python") in environment.pythons:
        (folder / STAMP).unlink()
    else:
        stamp = {"python": create(folder, environment.pythons)}
    python = "--python=" + str(folder / "bin" / "python")
    lock = os.path.join("constraints", environment.lock + ".txt")
    # Compiled here, since imports can't do it where PYTHONDONTWRITEBYTECODE is set: TensorFlow
    # then takes twice as long to import, every time.
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    sync = ["pip", "sync", python, "--require-hashes", "--compile-bytecode", lock]
    run_uv(sync + ["--build-constraints", os.path.join("constraints", "build.txt")] + quiet)
    if environment.has_project:
        options = ["--no-deps", "--no-build-isolation", "--editable", "."]
        run_uv(["pip", "install", "--quiet", python] + options)
    record = dict(stamp, inputs=wanted, installed=installed(folder))
    (folder / STAMP).write_text(json.dumps(record))
    print(f"setup: {environment.folder} is ready")


def create(folder: Path, versions: List[str]) -> str:
    """Makes an empty virtual environment of the first of the Python versions to be had.

    Returns:
      the version taken, "3.12".
    """
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(str(folder))
    found = first_python(versions)
    if not found:
        wanted = " or ".join(versions)
        raise SetupError(
            f"no Python {wanted} with its C headers was found on PATH or in pyenv, and uv could "
            f"not download one: install it (for example with `pyenv install {versions[0]}`), "
            "then try again."
        )
    version, python = found
    command = [find_uv(), "venv", "--no-project", "--python", python, str(folder)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=uv_environment()
    )
    if done.returncode != 0:
        raise SetupError("no environment could be made:\n" + done.stdout.decode())
    return version


def lock(environment: Environment) -> None:
    """Writes an environment's lock again; versions that still fit stay as they are."""
    folder = "constraints" + os.sep
    found = first_python(environment.pythons)
    python = "--python=" + (found[1] if found else environment.pythons[0])
    header = ["--custom-compile-command=make lock", "--no-annotate", "--quiet"]
    output = ["--generate-hashes", "--output-file", folder + environment.lock + ".txt"]
    source = folder + environment.source + ".in"
    run_uv(["pip", "compile", source] + environment.compile_options + header + output + [python])


def locked() -> List[Environment]:
    """Returns every environment that has a lock."""
    lines = [pipeline_environment(line, python) for line in LINES for python in line.pythons]
    return lines + list(BESIDE.values()) + [CUDA]


def wanted(what: str) -> Environment:
    """Returns the environment to build for a target of the Makefile."""
    beside = what.split("-")[0]  # of "kubeflow-setup"
    if beside in ("airflow", "docs"):  # Airflow's pins fit beside no line of TFX
        return BESIDE[beside]
    chosen = choose()
    if beside in BESIDE and beside not in chosen.line.extras:
        return BESIDE[beside]
    print(f"setup: {chosen}", flush=True)
    return pipeline_environment(chosen.line, chosen.version)


def main() -> int:
    """Builds one environment or writes all locks; returns 0 when done."""
    parser = argparse.ArgumentParser(description=__doc__)
    targets = ["setup"] + [name + "-setup" for name in BESIDE] + ["lock"]
    parser.add_argument("what", choices=targets)
    what = parser.parse_args().what
    guard = os.open(str(ROOT), os.O_RDONLY)
    fcntl.flock(guard, fcntl.LOCK_EX)  # two makes at once: the second waits for the first
    return exit_code(functools.partial(make, what))


def make(what: str) -> None:
    """Builds the environment for a target of the Makefile, or writes all locks (`lock`)."""
    if what == "lock":
        for environment in locked():
            lock(environment)
    else:
        build(wanted(what))


if __name__ == "__main__":
    sys.exit(main())
