"""Adds versions to a push directory and prunes it."""

from __future__ import annotations

import logging
import math
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from serving import atomic_files, labels, version_facts
from serving.labels import VersionError
from serving.push_lock import PASSING, current_facts, labels_locked, locked
from serving.version_names import next_number, strangers
from serving.versions import published, withdrawn_by_labels
from serving.withdrawal import settle_locked

_READ_SECONDS = 60.0  # after which servers have read a `models.config`


def publish(
    saved_model: Path,
    model_dir: Path,
    maker: str | None = None,
    check: Callable[[], None] | None = None,
) -> int:
    """Copies `saved_model` into `model_dir` as the version to serve, all of it or nothing.

    The copy is on disk before it gets its name. `model_dir` is made if it is not there. `maker`
    names the run that publishes: after a kill, `published_by` says whether it was done. `check` is
    called once no other process can push any more; what it raises ends the push.

    Returns:
        The version's number: the time in seconds, or one more than any number there ever was,
        whichever is greater. So no number is used twice, not even a withdrawn or pruned one.

    Raises:
        VersionError: `saved_model` is no SavedModel, another process holds the lock, or no number
            is left that a server can hold.
    """
    if not (saved_model / "saved_model.pb").is_file():
        raise VersionError(
            f"{saved_model} is no SavedModel: it has no file saved_model.pb. Name the folder"
            " in which that file is."
        )
    _make(model_dir)
    with locked(model_dir):
        if check:
            check()
        for sentence in strangers(model_dir):
            logging.warning(sentence)
        incoming = model_dir / f"{PASSING[0]}{uuid.uuid4().hex}"
        try:
            atomic_files.copy_tree(saved_model, incoming)
            facts = current_facts(model_dir)
            number = next_number(model_dir, facts.greatest)
            made = {number: maker} if maker is not None else {}
            # Before the rename: a number that is taken comes only once.
            changed = replace(facts, greatest=number, makers=facts.makers | made)
            version_facts.write(model_dir, changed)
            atomic_files.rename(incoming, model_dir / str(number))
        except BaseException:
            atomic_files.remove(incoming)
            raise
    return number


def prune(model_dir: Path, keep: int, pinned: int | None = None) -> list[int]:
    """Removes versions until `keep` are left: withdrawn ones first, the oldest of each first.

    Withdrawn ones go first so that a rollback always finds the last good versions. The served
    version, the one on trial, the newest, which waits for its trial, those of other labels and the
    one with the number `pinned` stay.

    Returns:
        The numbers removed.

    Raises:
        VersionError: `keep` is under 1, no such directory, or another process holds the lock.
    """
    if keep < 1:
        raise VersionError(
            f"At least the served version is kept: keep={keep} is under 1. Keep 1 or more."
        )
    with labels_locked(model_dir), locked(model_dir):
        if _seconds_since_labels(model_dir) > _READ_SECONDS:
            settle_locked(model_dir)
        leaving_labels = withdrawn_by_labels(model_dir)
        versions = [each for each in published(model_dir) if each.number not in leaving_labels]
        newest = next((each for each in versions if each.state != "withdrawn"), None)
        removable = sorted(
            (
                version
                for version in versions
                if version.state not in ("served", "canary")
                and version is not newest
                and not version.labelled
                and version.number != pinned
            ),
            key=lambda version: (version.state != "withdrawn", version.number),
        )
        leaving = removable[: max(0, len(versions) - keep)]
        version_facts.write(model_dir, current_facts(model_dir))
        for version in leaving:
            hidden = model_dir / f"{PASSING[1]}{uuid.uuid4().hex}"
            atomic_files.rename(version.path, hidden)
            atomic_files.remove(hidden)
    return [version.number for version in leaving]


def _make(model_dir: Path) -> None:
    if model_dir.is_dir():
        return
    atomic_files.make_folder(model_dir)
    if model_dir.stat().st_mode & 0o005 != 0o005:
        logging.warning(
            "%s can be read by its owner alone, or by its group: a server that another user runs"
            " finds no model there. `chmod o+rx` opens it; what is pushed gets its permissions.",
            model_dir,
        )


def _seconds_since_labels(model_dir: Path) -> float:
    """Returns how long servers have had to read the labels; for ever where there are none."""
    path = model_dir / labels.MODELS_CONFIG
    return time.time() - path.stat().st_mtime if path.is_file() else math.inf
