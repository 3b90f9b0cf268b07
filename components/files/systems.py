"""The file systems of addresses: fsspec's where its library is installed, Beam's for others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO, Protocol

from components.files import object_stores
from components.files.found import Found
from serving.quiet_imports import quiet_import


class System(Protocol):
    """Reads and writes the files below addresses of one scheme."""

    def below(self, folder: str) -> Iterable[Found]:
        """Lists all files below a folder; those that stand for folders end with a slash."""

    def checksum(self, path: str) -> str:
        """Returns what differs where a file's content does."""

    def open(self, path: str) -> BinaryIO:
        """Opens a file as it is for reading and seeking."""

    def read(self, path: str) -> bytes:
        """Returns a file's content."""

    def write(self, path: str, content: bytes) -> None:
        """Writes a file as a whole."""

    def delete(self, path: str) -> None:
        """Removes a file."""

    def exists(self, path: str) -> bool:
        """Checks whether there is such a file."""


def system_of(path: str) -> System:
    """Returns the file system of an address.

    Raises:
      ConfigError: none is installed for its scheme.
    """
    if object_stores.is_installed(path):
        from components.files.store_files import StoreFiles

        return StoreFiles(path)
    try:
        with quiet_import():
            import apache_beam.io.filesystems  # noqa: F401  # Google's libraries warn at length
    except ModuleNotFoundError as error:  # as where the client alone is installed
        raise object_stores.not_installed(path) from error
    from components.files.beam import BeamFiles

    return BeamFiles(path)
