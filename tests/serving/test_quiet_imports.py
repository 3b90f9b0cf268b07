from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import os, sys
from serving.quiet_imports import quiet_import
try:
    with quiet_import():
        os.write(2, b"noise of a library\\n")
        if {fails}:
            raise ImportError("no such library")
except ImportError as error:
    print(error, file=sys.stderr)
print("afterwards", file=sys.stderr)
"""


def said(fails: bool) -> str:
    command = [sys.executable, "-c", SCRIPT.format(fails=fails)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stderr


def test_what_libraries_write_while_they_are_imported_is_hidden() -> None:
    assert said(fails=False) == "afterwards\n"


def test_all_of_it_is_shown_when_the_import_fails() -> None:
    assert said(fails=True) == "noise of a library\nno such library\nafterwards\n"
