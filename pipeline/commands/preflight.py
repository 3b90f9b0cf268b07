"""Checks the places of pictures and results before any long work starts."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from components.errors import ConfigError
from components.files import object_stores, space
from components.files.paths import is_remote, scheme
from components.image_example_gen import listing_handover, sources
from components.settings.beam_options import check_processes, pipeline_arguments
from pipeline.config import Config
from serving.names import shown

_PATTERN = re.compile(r"[*?[]")
_TRIED = 1_000_000  # bytes that a folder must take at least


def check_folders(config: Config, writes: bool = True) -> sources.Listing:
    """Lists the pictures and makes sure that results can be written. Takes a moment.

    Args:
      config: the whole configuration.
      writes: makes the folders of results where they are missing, and tries to write there.

    Raises:
      ConfigError: a folder is missing, can't be written, or would be taken for a class; or Beam's
        runner can't be used.
      DataError: the pictures can't make a classifier.
      DiskFull: a disk is full.
    """
    pipeline_arguments(config.runtime.beam)
    check_processes(config.runtime.beam)
    check_metadata(config)
    _check_no_pattern(config.pipeline_root)
    _check_folder("push.directory", config.push.directory)
    _check_store("push.upload_to", config.push.upload_to)
    node = listing_handover.node_in(config.pipeline_root)
    listing = listing_handover.current(node, config.data)
    for key, folder in (("push.directory", config.push_directory), ("runtime.root", config.root)):
        for source in config.data.sources:
            _check_outside(key, folder, source)
        if writes:
            _check_writable(key, folder)
    return listing


def check_metadata(config: Config) -> None:
    """Makes sure that the metadata is not to lie in a root that is no folder.

    Raises:
      ConfigError: it is.
    """
    if is_remote(config.runtime.root) and config.runtime.metadata is None:
        raise ConfigError(
            f"runtime.metadata: is needed where runtime.root ({config.runtime.root}) is no folder, "
            "since SQLite writes to local files only. Name a server (mysql://, postgresql://, "
            "grpc://), or a SQLite file where all nodes run on this machine."
        )


def _check_no_pattern(root: str) -> None:
    if found := _PATTERN.search(root):
        raise ConfigError(
            f"runtime.root: {shown(root)} has {found[0]!r}, which TFX and Beam read as a pattern "
            "and not as a name. Allowed are paths without * ? [. Name another folder."
        )


def _check_folder(key: str, place: str) -> None:
    if is_remote(place):
        raise ConfigError(
            f"{key}: {place} is no folder, and only there is a version renamed into place in one "
            "step. Mount the store (gcsfuse, s3fs, NFS) and name the folder where it is mounted."
        )


def _check_store(key: str, address: str | None) -> None:
    if address is None or object_stores.is_installed(address) or scheme(address) == "gs":
        return
    known = ", ".join(f"{name}:// ({extra})" for name, extra in object_stores.EXTRAS.items())
    raise ConfigError(
        f"{key}: nothing that is installed reaches {address}. Allowed are, each with this "
        f"project's extra: {known}. Install one of these, or correct the address."
    )


def _check_outside(key: str, folder: Path, source: str) -> None:
    if is_remote(source) or sources.is_manifest(source):
        return
    if folder.resolve().is_relative_to(Path(source).expanduser().resolve()):
        raise ConfigError(
            f"{key}: {folder} lies in data.source, where every folder is a class of pictures. "
            "Name a folder outside it."
        )


def _check_writable(key: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        if full := space.full_disk(error, [space.Need(key, str(folder), _TRIED)]):
            raise full from error
        reason = error.strerror or str(error)
        who = f" by user {os.getuid()}" if hasattr(os, "getuid") else ""
        raise ConfigError(
            f"{key}: {folder} can't be written{who} ({reason}). Name a folder that can."
        ) from error
