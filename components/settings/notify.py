"""Who is told of a run that was pushed, refused or failed: `runtime.notify`."""

from __future__ import annotations

import ipaddress
import urllib.parse
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from components.settings.base import Section

Event = Literal["refused", "failed", "pushed"]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _address(url: str) -> str:
    """Returns the URL; the messages name no more of it than its scheme: it may be a secret."""
    parts = urllib.parse.urlsplit(url)
    host = parts.hostname
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("an address is needed, as https://HOST/PATH")
    if parts.scheme == "http" and not _is_loopback(host):
        raise ValueError("http is for this machine only (localhost, 127.0.0.1); use https")
    if parts.username is not None or parts.password is not None:
        raise ValueError("no user and no password stand in the address; name secret_env")
    if not url.isascii() or any(char.isspace() or not char.isprintable() for char in url):
        raise ValueError("spaces, control characters and letters beyond ASCII must be %-encoded")
    _ = parts.port  # raises ValueError where it is no number
    return url


class Notify(Section):
    """A command or an address that receives what `run --json` prints."""

    command: Annotated[list[str], Field(min_length=1)] | None = None
    """A program and its arguments, without a shell: [/usr/local/bin/tell, --team, vision]."""
    webhook: Annotated[str, AfterValidator(_address)] | None = Field(None, repr=False)
    """https://HOST/PATH, which gets a POST; http on this machine only."""
    secret_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    """The environment variable whose value the webhook gets as `Authorization: Bearer ...`."""
    on: Annotated[list[Event], Field(min_length=1)] = ["refused", "failed", "pushed"]
    """After which verdicts."""

    @model_validator(mode="after")
    def _tells_one(self) -> Notify:
        if (self.command is None) == (self.webhook is None):
            raise ValueError("one of command and webhook is needed, and not both")
        if self.secret_env and self.webhook is None:
            raise ValueError("secret_env is for webhook, and not for command")
        return self
