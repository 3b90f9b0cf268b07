"""The command, killed at a chosen call: `python -m tests.e2e.killed_at MODULE:NAME:WHEN WORD ...`.

WHEN is `before` or `after` the first call of NAME, a function or method of MODULE. SIGKILL, as the
kernel's out-of-memory killer sends it: nothing of the process runs on.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from pipeline.launch import environment


def at_call(call: str, happen: Callable[[], None]) -> None:
    """Calls `happen` before or after each call of a function.

    Args:
      call: `MODULE:NAME:WHEN`, as above.
      happen: what is to happen then.
    """
    module, name, when = call.split(":")
    owner: Any = importlib.import_module(module)
    *classes, last = name.split(".")
    for each in classes:
        owner = getattr(owner, each)
    original = getattr(owner, last)

    def calling(*arguments: Any, **named: Any) -> Any:
        if when == "before":
            happen()
        done = original(*arguments, **named)
        if when == "after":
            happen()
        return done

    setattr(owner, last, calling)


if __name__ == "__main__":
    environment.prepare()
    at_call(sys.argv.pop(1), lambda: os.kill(os.getpid(), signal.SIGKILL))
    from pipeline.cli import main

    main()
