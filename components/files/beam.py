"""Beam's file systems: gs://, s3://, hdfs:// and what else is installed."""

from __future__ import annotations

from typing import Any

from components.errors import ConfigError
from components.files.paths import scheme


def file_system(path: str) -> Any:
    """Returns Beam's file system for a path.

    Raises:
      ConfigError: none is installed.
    """
    from apache_beam.io.filesystems import FileSystems

    try:
        return FileSystems.get_filesystem(path)
    except ValueError as error:
        raise ConfigError(
            f"data.source: no file system is installed for {scheme(path)}:// ({path}). Install "
            "Beam's extra for it, as apache-beam[gcp] for gs:// or apache-beam[aws] for s3://."
        ) from error
