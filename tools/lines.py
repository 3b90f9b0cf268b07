"""The TFX lines that the project runs on, and which of them a machine can run.

The one place of their versions: locks, Dockerfiles, tests and CI take them from here. Any Python
3.6 or newer reads this file.
"""

import os
import platform
import re
from typing import List, NamedTuple, Optional, Tuple

from interpreters import SetupError, first_python, lacks_headers

CHOICE = "TFX_LINE"
"""The environment variable that names a line, in place of the newest that the machine can run."""


class Line(NamedTuple):
    """One version of TFX with the Pythons and the C library that its packages are built for."""

    tfx: str
    glibc: Tuple[int, int]  # the oldest
    pythons: List[str]  # the first that is found is taken
    extras: List[str]  # of setup.py; what does not fit beside TFX has an environment of its own

    def lock(self, python: str) -> str:
        """Returns the name of the lock for one of its Pythons, without a suffix."""
        return f"tfx-{self.tfx}-py{python.replace('.', '')}"

    @property
    def platform(self) -> str:
        """Returns uv's name of the platform that its locks are resolved for."""
        return f"x86_64-manylinux_{self.glibc[0]}_{self.glibc[1]}"


LINES = [
    Line("1.21", (2, 39), ["3.13", "3.12"], ["pipeline", "kubeflow", "demo", "dev"]),
    Line("1.16", (2, 28), ["3.10"], ["pipeline", "demo", "dev"]),
]
"""Newest first."""

NEWEST = LINES[0]


class Choice(NamedTuple):
    """A line with the version of Python found for it, and why no newer line."""

    line: Line
    version: str  # "3.13"
    reasons: List[str]  # one for each newer line

    def __str__(self) -> str:
        """Returns the line, its Python and why no newer one, in one sentence."""
        chosen = f"TFX {self.line.tfx} on Python {self.version}"
        return ", since ".join([chosen] + [", and ".join(self.reasons)] * bool(self.reasons))


def glibc() -> Tuple[int, int]:
    """Returns the version of this machine's glibc, (0, 0) where its C library is another."""
    try:
        text = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, ValueError, OSError):
        text = ""
    found = re.match(r"glibc (\d+)\.(\d+)", text)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


def choose() -> Choice:
    """Returns the line of TFX_LINE, else the newest that this machine can run.

    Raises:
      SetupError: the machine can run none of them; the message says why, line by line.
    """
    named = os.environ.get(CHOICE, "")
    if named and named not in [line.tfx for line in LINES]:
        known = " and ".join(line.tfx for line in LINES)
        raise SetupError(f"{CHOICE}={named}: there is no such line; there are {known}.")
    reasons = []  # type: List[str]
    for line in [line for line in LINES if named in ("", line.tfx)]:
        reason = _unfit(line)
        if reason is None:
            found = first_python(line.pythons)
            if found:
                return Choice(line, found[0], reasons)
            reason = _missing(line)
        reasons.append(f"TFX {line.tfx} {reason}")
    raise SetupError("this machine can't run the pipeline: " + "; ".join(reasons) + ".")


def _unfit(line: Line) -> Optional[str]:
    """Returns why the machine itself can't run the line, None where it can."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return "has packages for Linux on x86-64 only (in a container it runs on other systems)"
    if glibc() < line.glibc:
        needed, found = (".".join(map(str, version)) for version in (line.glibc, glibc()))
        return f"needs glibc {needed} and this machine has {found}"
    return None


def _missing(line: Line) -> str:
    """Returns what of a Python is missing, and what to do about it."""
    for version in line.pythons:
        if lacks_headers(version):
            return (
                f"needs the C headers of Python {version}, which are missing here: install them "
                "(Debian and Ubuntu: apt-get install python3-dev), then try again"
            )
    wanted = " or ".join(line.pythons)
    return (
        f"needs Python {wanted} with its C headers; none was found on PATH or in pyenv, and uv "
        f"could not download one: install it (for example with `pyenv install {line.pythons[0]}`), "
        "then try again"
    )
