"""Files by which a command reaches a server over TLS and proves who it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Access:
    """Paths that the command line names; without any there is no TLS."""

    ca: Path | None = None
    """PEM file of the authority that signed the server's certificate."""
    cert: Path | None = None
    """PEM file of the client's certificate (mTLS)."""
    key: Path | None = None
    """PEM file of that certificate's key."""
    token_file: Path | None = None
    """File with a bearer token."""

    def read(self) -> dict[str, Any]:
        """Returns `tls` and `token`, as a client takes them.

        Raises:
            ValueError: a certificate without its key, or the reverse.
            OSError: the token can't be read.
        """
        from serving.client import Tls  # imports gRPC

        secured = self.ca or self.cert or self.key or self.token_file
        return {
            "tls": Tls(self.ca, self.cert, self.key) if secured else None,
            "token": self.token_file.read_text().strip() if self.token_file else None,
        }


OPEN = Access()
"""Without TLS."""
