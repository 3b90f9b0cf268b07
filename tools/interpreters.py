"""Finds the Python and the uv that `bootstrap.py` builds environments with.

Any Python 3.6 or newer reads this file: it is what says which Python is missing.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Optional, Tuple

UV_VERSION = "0.13.9"

# A CPython built without one of these modules can't run the pipeline, and one without its C
# headers can't build pyfarmhash, which TFX needs; another may be at hand.
_NAME = "print(platform.python_implementation(), '%d.%d' % sys.version_info[:2], sys.executable)"
_WHOLE = "import bz2, ctypes, os, platform, sqlite3, ssl, sys, sysconfig, zlib;"
_HEADERS = "os.stat(os.path.join(sysconfig.get_path('include'), 'Python.h'));"


class SetupError(Exception):
    """A sentence for the user: what is missing and what to do about it."""


def exit_code(work: Callable[[], None]) -> int:
    """Does the work of a tool; returns 0 when done, 1 after a sentence, 130 after Ctrl-C."""
    try:
        work()
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def cache_dir() -> Path:
    """Returns the one folder outside the checkout that is written to."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "transfer-pipeline"


def attempt(command: List[str]) -> Optional[str]:
    """Runs a command and returns its output, or None where it failed."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def _folders() -> Iterator[Path]:
    yield from map(Path, os.environ.get("PATH", "").split(os.pathsep))
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    homes = [
        Path(os.environ.get("PYENV_ROOT") or str(Path.home() / ".pyenv")) / "versions",
        Path.home() / ".pyenv" / "versions",
        Path(data) / "uv" / "python",
        cache_dir() / "python",
    ]
    for home in homes:
        yield from sorted(home.glob("*/bin"), reverse=True)


def find_python(version: str) -> Optional[str]:
    """Returns the path of a working CPython of that version ("3.10"), or None.

    Looks on PATH, then into the folders of pyenv and uv: behind pyenv's shims only the
    version chosen for the current folder answers.
    """
    return _find(version, _WHOLE + _HEADERS + _NAME)


def lacks_headers(version: str) -> bool:
    """Returns whether a CPython of that version is there, whole but for its C headers."""
    return find_python(version) is None and _find(version, _WHOLE + _NAME) is not None


def _find(version: str, probe: str) -> Optional[str]:
    wanted = ["CPython", version]
    for folder in _folders():
        for name in ("python" + version, "python3"):
            answer = attempt([str(folder / name), "-c", probe])
            if answer and answer.split()[:2] == wanted:
                return answer.strip().split(" ", 2)[2]
    return None


def download_python(version: str) -> Optional[str]:
    """Returns the path of a CPython that uv downloads to the cache folder, None where it can't."""
    print(f"setup: Python {version} was not found; asking uv for it", flush=True)
    command = [find_uv(), "python", "install", "--quiet", version]
    try:
        done = subprocess.call(command, env=uv_environment(), stderr=subprocess.DEVNULL)
    except OSError:
        return None
    return find_python(version) if done == 0 else None


def first_python(versions: List[str]) -> Optional[Tuple[str, str]]:
    """Returns the first of these versions to be had with its path, found before downloaded."""
    for find in (find_python, download_python):
        for version in versions:
            python = find(version)
            if python:
                return version, python
    return None


def uv_environment() -> Dict[str, str]:
    """Returns uv's environment variables: what it downloads goes to the cache folder."""
    return dict(os.environ, UV_PYTHON_INSTALL_DIR=str(cache_dir() / "python"))


def require_compiler() -> None:
    """Raises SetupError where no C++ compiler is on PATH."""
    if not any(map(shutil.which, ("c++", "g++", "clang++"))):
        raise SetupError(
            "no C++ compiler was found, and TFX's dependency pyfarmhash comes as source only: "
            "install one (Debian and Ubuntu: apt-get install g++), then try again."
        )


def find_uv() -> str:
    """Returns the path of uv: the one on PATH, else a pinned one in the cache folder."""
    on_path = shutil.which("uv")
    if on_path and attempt([on_path, "--version"]):
        return on_path
    own = cache_dir() / "tools" / (f"uv-{UV_VERSION}")
    if not own.exists():
        own.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=str(own.parent)) as scratch:
            # uv is one self-contained executable: renaming it into place is all there is to it.
            os.replace(str(_install_uv(Path(scratch))), str(own))
    return str(own)


def _install_uv(scratch: Path) -> Path:
    print(f"setup: fetching uv {UV_VERSION}", flush=True)
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    package = f"uv=={UV_VERSION}"
    if attempt([sys.executable, "-m", "venv", str(scratch / "venv")]) is not None:
        installer = [str(scratch / "venv" / "bin" / "python")] + install + [package]
        uv = scratch / "venv" / "bin" / "uv"
    elif attempt([sys.executable, "-m", "pip", "--version"]):
        # Debian ships Python without venv; pip alone does as well.
        target = scratch / "target"
        installer = [sys.executable] + install + ["--target", str(target), package]
        uv = target / "bin" / "uv"
    else:
        raise SetupError(
            f"{sys.executable} has neither venv nor pip: install one of them (Debian and Ubuntu: "
            "apt-get install python3-venv) or uv, then try again."
        )
    if subprocess.call(installer) != 0 or not uv.exists():
        raise SetupError(
            f"uv {UV_VERSION} could not be installed with pip (the reason is above): put a uv "
            "on PATH, then try again."
        )
    return uv
