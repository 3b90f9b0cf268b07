"""Tells a command or a webhook of a run's end: `runtime.notify`. Never fails the run."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import ssl
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from typing import Any

from components.retries import retried
from components.settings.notify import Notify

COMMAND_SECONDS = 60
_CALL_SECONDS = 10
_WAITS = (1, 4, 15)
"""Seconds between the attempts at a webhook."""
_OVERLOADED = 429


class _Untold(Exception):
    """The notification failed; the message says why."""


def notify(
    settings: Notify | None,
    result: dict[str, Any],
    *,
    seconds: float = COMMAND_SECONDS,
    waits: Sequence[float] = _WAITS,
) -> str | None:
    """Sends a run's result where the settings ask for it.

    Args:
      settings: `runtime.notify`; None: nobody is told.
      result: what `run --json` prints.
      seconds: how long a command may take.
      waits: seconds before each further attempt at a webhook.

    Returns:
      A note that says why the notification failed; None where it did not.
    """
    if settings is None or result["verdict"] not in settings.on:
        return None
    body = json.dumps(result).encode()
    try:
        if settings.command:
            _run(settings.command, body, seconds)
        elif settings.webhook:
            _post(settings.webhook, body, _headers(settings.secret_env), waits)
    except Exception as error:  # whatever it is, the run's verdict stands
        why = str(error) if isinstance(error, _Untold) else f"{type(error).__name__}: {error}"
        return f"runtime.notify told nobody: {why}"
    return None


def _run(command: list[str], body: bytes, seconds: float) -> None:
    """Runs a command with the body on its standard input.

    Its output goes to a file, not a pipe: a process that it leaves behind can't hold us up.
    """
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise _Untold(f"{command[0]} can't be started: {error}.") from error
        try:
            process.communicate(body, timeout=seconds)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # what it started, too
            process.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise _Untold(f"{command[0]} took over {seconds:g} s and was ended.") from error
            raise
        if process.returncode:
            said.seek(max(0, said.seek(0, os.SEEK_END) - 1000))
            lines = said.read().decode(errors="replace").strip().splitlines()
            last = f": {lines[-1][-300:]}" if lines else ""
            raise _Untold(f"{command[0]} ended with {process.returncode}{last}.")


def _headers(secret_env: str | None) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "User-Agent": "transfer-pipeline"}
    if secret_env is None:
        return headers
    secret = os.environ.get(secret_env, "").strip()
    if not secret:
        raise _Untold(f"the environment variable {secret_env} is not set, so nothing was sent.")
    if not (secret.isascii() and secret.isprintable()):
        raise _Untold(f"the environment variable {secret_env} holds what no header may hold.")
    return headers | {"Authorization": f"Bearer {secret}"}


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an error: the secret goes to the named host alone."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Returns no further request."""


def _opener() -> urllib.request.OpenerDirector:
    """Returns an opener that asks a proxy for https alone: http stays on this machine."""
    proxies = urllib.request.getproxies()
    by_proxy = {"https": proxies["https"]} if "https" in proxies else {}
    return urllib.request.build_opener(urllib.request.ProxyHandler(by_proxy), _NoRedirects())


def _post(url: str, body: bytes, headers: dict[str, str], waits: Sequence[float]) -> None:
    """Posts the body.

    Raises:
      _Untold: it names the host alone, since a webhook's path is often its secret.
    """
    opener = _opener()

    def attempt() -> None:
        request = urllib.request.Request(url, data=body, headers=headers, method="POST")
        with opener.open(request, timeout=_CALL_SECONDS):
            pass

    host = urllib.parse.urlsplit(url).netloc
    try:
        retried(attempt, waits, _is_transient)
    except urllib.error.HTTPError as error:
        error.close()
        redirect = "; redirects are not followed" if 300 <= error.code < 400 else ""
        raise _Untold(f"{host} answered {error.code} {error.reason}{redirect}.") from error
    except urllib.error.URLError as error:
        raise _Untold(f"{host} can't be reached: {error.reason}.") from error
    except (OSError, http.client.HTTPException) as error:
        raise _Untold(f"{host} did not answer: {type(error).__name__}.") from error


def _is_transient(error: Exception) -> bool:
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return error.code == _OVERLOADED or error.code >= 500
    if isinstance(error, urllib.error.URLError):
        return not isinstance(error.reason, ssl.SSLCertVerificationError)
    return isinstance(error, OSError | http.client.HTTPException)
