"""Withdraws versions from the servers of a push directory, and brings them back."""

from __future__ import annotations

import os
from collections.abc import Container
from dataclasses import replace
from pathlib import Path

from serving import atomic_files, labels, version_facts
from serving.labels import VersionError
from serving.push_lock import current_facts, locked
from serving.version_names import WITHDRAWN
from serving.versions import Version, check_has, published


def rollback(model_dir: Path, to: int) -> None:
    """Makes `to` the served version: all greater ones are withdrawn, all others are not.

    A polling server sees one change, from the version it serves to `to`. The same command undoes
    it: rolling back to a withdrawn number brings that one back. Done again, it changes nothing.

    Raises:
        VersionError: no such version, no such directory, another process holds the lock, or there
            are labels: a server that reads them would not see the step, see `canary.rollback`.
    """
    if labels.read(model_dir) is not None:
        raise VersionError(
            f"{model_dir / labels.MODELS_CONFIG} says which versions are served: use"
            f" `transfer-pipeline rollback --model-dir {model_dir} --to {to}`, which moves its"
            " labels, or remove the file."
        )
    check_has(model_dir, to)  # before a folder of others gets a lock
    with locked(model_dir):
        versions = {version.number: version for version in published(model_dir)}
        check_has(model_dir, to)
        _bring_back(versions[to])  # takes effect here if `to` is the greatest now ...
        for number in sorted(number for number in versions if number > to):
            _withdraw(versions[number])  # ... or else at the last of these, the served one
        for number in sorted(number for number in versions if number < to):
            _bring_back(versions[number])


def bring_back(model_dir: Path, number: int) -> None:
    """Has a version's folder under the name that servers read, where it was withdrawn.

    Raises:
        VersionError: no such version or directory, or another process holds the lock.
    """
    with locked(model_dir):
        check_has(model_dir, number)
        facts = current_facts(model_dir)
        version_facts.write(model_dir, replace(facts, withdrawn=facts.withdrawn - {number}))
        for version in published(model_dir):
            if version.number == number:
                _bring_back(version)


def withdraw_above(model_dir: Path, to: int, at_once: bool, kept: Container[int] = ()) -> None:
    """Withdraws every version greater than `to`, which the labels have left, and no other one.

    Args:
        model_dir: the push directory.
        to: the version of `stable`.
        kept: versions that other labels hold.
        at_once: all servers have the labels. Else some may still read `models.config`, and lose
            a version whose folder goes: then `settle` renames the folders later.

    Raises:
        VersionError: no such directory, or another process holds the lock.
    """
    with locked(model_dir):
        for version in published(model_dir):
            if version.number < to:
                _bring_back(version)
        facts = current_facts(model_dir)
        numbers = [version.number for version in published(model_dir)]
        greater = frozenset(each for each in numbers if each > to and each not in kept)
        version_facts.write(model_dir, replace(facts, withdrawn=greater))
        if at_once:
            settle_locked(model_dir)


def settle(model_dir: Path) -> None:
    """Renames the folders of versions that the labels have left.

    Raises:
        VersionError: no such directory, or another process holds the lock.
    """
    with locked(model_dir):
        settle_locked(model_dir)


def withdraw_version(model_dir: Path, number: int) -> None:
    """Withdraws one version that no server is to serve any more.

    Raises:
        VersionError: no such directory, or another process holds the lock.
    """
    with locked(model_dir):
        for version in published(model_dir):
            if version.number == number:
                _withdraw(version)


def settle_locked(model_dir: Path) -> None:
    """Does what `settle` does, for a caller that holds the lock."""
    facts = current_facts(model_dir)
    for version in published(model_dir):
        if version.number in facts.withdrawn:
            _withdraw(version)
    if facts.withdrawn:
        version_facts.write(model_dir, replace(facts, withdrawn=frozenset()))


def _withdraw(version: Version) -> None:
    _rename(version, f"{version.number}{WITHDRAWN}")


def _bring_back(version: Version) -> None:
    _rename(version, str(version.number))


def _rename(version: Version, name: str) -> None:
    """Renames a version's folder.

    Raises:
        VersionError: something else has it.
    """
    target = version.path.with_name(name)
    if target == version.path:
        return
    if os.path.lexists(target):
        raise VersionError(
            f"{version.path} can't become {name}: {target} is there already. Move one of the two"
            " away, then run the command again."
        )
    atomic_files.rename(version.path, target)
