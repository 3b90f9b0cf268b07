"""The command, killed at a chosen call: `python -m tests.e2e.killed_at MODULE:NAME:WHEN WORD ...`.

WHEN is `before` or `after` the first call of NAME, a function or method of MODULE. SIGKILL, as the
kernel's out-of-memory killer sends it: nothing of the process runs on.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from typing import Any

from pipeline.launch import environment


def kill_at(module: str, name: str, when: str) -> None:
    """Replaces the function by one that kills this process."""
    owner: Any = importlib.import_module(module)
    *classes, last = name.split(".")
    for each in classes:
        owner = getattr(owner, each)
    original = getattr(owner, last)

    def killing(*arguments: Any, **named: Any) -> None:
        if when == "after":
            original(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, last, killing)


if __name__ == "__main__":
    environment.prepare()
    kill_at(*sys.argv.pop(1).split(":"))
    from pipeline.cli import main

    main()
