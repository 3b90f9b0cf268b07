"""Shows a page in the user's browser."""

from __future__ import annotations

import sys
import webbrowser
from pathlib import Path


def show(page: Path) -> None:
    """Opens a page; says on standard error where no browser can be started.

    Args:
      page: an absolute path.
    """
    try:
        started = webbrowser.open(page.as_uri())
    except (OSError, webbrowser.Error):
        started = False
    if not started:
        print("Note: no browser could be started here; open the path above.", file=sys.stderr)
