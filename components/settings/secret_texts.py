"""Leaves secrets out of what is shown of a configuration: its report, and refusals of it."""

from __future__ import annotations

import re
from typing import Any

from components.settings.metadata import without_passwords

_NAME = re.compile(
    r"secret|passw|token|credential|connection_?string|(account|private|api)_?key", re.IGNORECASE
)
"""In names of arguments and variables that hold one: `s3_secret_access_key`, `PGPASSWORD`."""
_HIDDEN = "..."


def without_secrets(shown: Any) -> Any:
    """Returns a value with `...` for passwords in URLs and for the values of names of secrets.

    Args:
      shown: a text, such as `--NAME=VALUE`, or any list or dictionary of values. `--NAME` may stand
        before its value in a list; `{name: NAME, value: VALUE}` is Kubernetes' form.
    """
    if isinstance(shown, dict):
        pair = "value" in shown and bool(_NAME.search(str(shown.get("name", ""))))
        return {
            key: _HIDDEN
            if isinstance(value, str) and (_NAME.search(str(key)) or (pair and key == "value"))
            else without_secrets(value)
            for key, value in shown.items()
        }
    if isinstance(shown, list):
        return [
            _HIDDEN if _is_named(before) and isinstance(value, str) else without_secrets(value)
            for before, value in zip([None, *shown], shown, strict=False)
        ]
    if not isinstance(shown, str):
        return shown
    name, given, _ = shown.partition("=")
    return f"{name}={_HIDDEN}" if given and _is_named(name) else without_passwords(shown)


def _is_named(word: Any) -> bool:
    """Checks whether it is the name of a secret's argument, without its value."""
    if not isinstance(word, str) or not word.startswith("--") or "=" in word:
        return False
    return bool(_NAME.search(word))
