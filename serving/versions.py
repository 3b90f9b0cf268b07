"""The push directory: one folder per version, named by its number, which TensorFlow Serving polls.

TensorFlow Serving looks once a second, loads the greatest number and ignores every name that is not
an integer (file_system_storage_path_source.cc). All here is built on that: a version comes, goes
and comes back by one rename, so a server that looks at any moment finds whole versions only.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

import filelock

from serving import atomic_files, labels, version_facts
from serving.labels import VersionError
from serving.version_facts import Facts

State = Literal["served", "canary", "newer", "older", "withdrawn"]

_NAME = re.compile(r"([0-9]+)(\.withdrawn)?")
_LOCK = ".lock"
_LOCK_SECONDS = 300
_PASSING = (atomic_files.INCOMING, ".removing-")  # copied in; on their way out


@dataclass(frozen=True)
class Version:
    """One version: `served` is the greatest number that has not been withdrawn by a rollback.

    Where there are labels (`serving.labels`) it is the stable one, `canary` the one on trial, and
    `newer` a version that waits for its trial.
    """

    number: int
    state: State
    published: datetime
    """When its copy was complete, in UTC; withdrawing it and bringing it back keep this."""
    path: Path


def published(model_dir: Path) -> list[Version]:
    """Returns the versions in `model_dir`, the greatest number first.

    Raises:
        VersionError: there is no such directory.
    """
    while model_dir.is_dir():
        try:
            return _scan(model_dir)
        except FileNotFoundError:  # renamed under our eyes by a push or a rollback
            continue
    raise _no_directory(model_dir)


def served(model_dir: Path) -> Path | None:
    """Returns the folder of the version a server serves; None before the first push."""
    if not model_dir.is_dir():
        return None
    return next((v.path for v in published(model_dir) if v.state == "served"), None)


def publish(saved_model: Path, model_dir: Path, maker: str | None = None) -> int:
    """Copies `saved_model` into `model_dir` as the version to serve, all of it or nothing.

    The copy is on disk before it gets its name. `model_dir` is made if it is not there. `maker`
    names the run that publishes: after a kill, `published_by` says whether it was done.

    Returns:
        The version's number: the time in seconds, or one more than any number there ever was,
        whichever is greater. So no number is used twice, not even a withdrawn or pruned one.

    Raises:
        VersionError: `saved_model` is no SavedModel, or another process holds the lock.
    """
    if not (saved_model / "saved_model.pb").is_file():
        raise VersionError(f"{saved_model} is no SavedModel: it has no file saved_model.pb.")
    model_dir.mkdir(parents=True, exist_ok=True)
    with _locked(model_dir):
        incoming = model_dir / f"{_PASSING[0]}{uuid.uuid4().hex}"
        try:
            atomic_files.copy_tree(saved_model, incoming)
            facts = _facts(model_dir)
            number = max(int(time.time()), facts.greatest + 1)
            made = {number: maker} if maker is not None else {}
            # Before the rename: a number that is taken comes only once.
            version_facts.write(model_dir, Facts(number, facts.makers | made))
            atomic_files.rename(incoming, model_dir / str(number))
        except BaseException:
            atomic_files.remove(incoming)
            raise
    return number


def published_by(model_dir: Path, maker: str) -> Version | None:
    """Returns the newest version there is that `maker` published; None if there is none."""
    if not model_dir.is_dir():
        return None
    known = version_facts.read(model_dir).makers
    return next((each for each in published(model_dir) if known.get(each.number) == maker), None)


def prune(model_dir: Path, keep: int) -> list[int]:
    """Removes versions until `keep` are left: withdrawn ones first, the oldest of each first.

    Withdrawn ones go first so that a rollback always finds the last good versions. The served
    version and the one on trial stay.

    Returns:
        The numbers removed.

    Raises:
        VersionError: `keep` is under 1, no such directory, or another process holds the lock.
    """
    if keep < 1:
        raise VersionError(f"At least the served version is kept: keep={keep} is under 1.")
    with _locked(model_dir):
        versions = published(model_dir)
        removable = sorted(
            (version for version in versions if version.state not in ("served", "canary")),
            key=lambda version: (version.state != "withdrawn", version.number),
        )
        leaving = removable[: max(0, len(versions) - keep)]
        version_facts.write(model_dir, _facts(model_dir))
        for version in leaving:
            hidden = model_dir / f"{_PASSING[1]}{uuid.uuid4().hex}"
            atomic_files.rename(version.path, hidden)
            atomic_files.remove(hidden)
    return [version.number for version in leaving]


def rollback(model_dir: Path, to: int) -> None:
    """Makes `to` the served version: all greater ones are withdrawn, all others are not.

    A polling server sees one change, from the version it serves to `to`. The same command undoes
    it: rolling back to a withdrawn number brings that one back. Done again, it changes nothing.

    Raises:
        VersionError: no such version, no such directory, another process holds the lock, or there
            are labels: a server that reads them would not see the step.
    """
    if labels.read(model_dir) is not None:
        raise VersionError(
            f"{model_dir / labels.MODELS_CONFIG} says which versions are served: use"
            f" `transfer-pipeline canary --model-dir {model_dir} --withdraw`, or remove the file."
        )
    with _locked(model_dir):
        versions = {version.number: version for version in published(model_dir)}
        if to not in versions:
            raise VersionError(f"{model_dir} has no version {to}; {_listing(versions)}")
        _bring_back(versions[to])  # takes effect here if `to` is the greatest now ...
        for number in sorted(number for number in versions if number > to):
            _withdraw(versions[number])  # ... or else at the last of these, the served one
        for number in sorted(number for number in versions if number < to):
            _bring_back(versions[number])


def withdraw_version(model_dir: Path, number: int) -> None:
    """Withdraws one version that no server is to serve any more.

    Raises:
        VersionError: no such directory, or another process holds the lock.
    """
    with _locked(model_dir):
        for version in published(model_dir):
            if version.number == number:
                _withdraw(version)


def _withdraw(version: Version) -> None:
    if version.state != "withdrawn":
        atomic_files.rename(version.path, version.path.with_name(f"{version.number}.withdrawn"))


def _bring_back(version: Version) -> None:
    if version.state == "withdrawn":
        atomic_files.rename(version.path, version.path.with_name(str(version.number)))


def _scan(model_dir: Path) -> list[Version]:
    found = []
    for path in model_dir.iterdir():
        match = _NAME.fullmatch(path.name)
        if match and path.is_dir():
            found.append((int(match[1]), match[2] is not None, path))
    live = {number for number, withdrawn, _ in found if not withdrawn}
    named = labels.read(model_dir)
    served = named.stable if named and named.stable in live else max(live, default=0)
    canary = named.canary if named else served
    return [
        Version(
            number,
            "withdrawn" if withdrawn else _state(number, served, canary),
            datetime.fromtimestamp(path.stat().st_mtime, timezone.utc),
            path,
        )
        for number, withdrawn, path in sorted(found, reverse=True)
    ]


def _state(number: int, served: int, canary: int) -> State:
    if number == served:
        return "served"
    if number == canary:
        return "canary"
    return "older" if number < served else "newer"


def _no_directory(model_dir: Path) -> VersionError:
    return VersionError(
        f"There is no directory {model_dir}: name the one that models are pushed to."
    )


def _listing(versions: dict[int, Version]) -> str:
    if not versions:
        return "it has none: push a model first."
    return "it has " + ", ".join(f"{v.number} ({v.state})" for v in versions.values()) + "."


@contextmanager
def _locked(model_dir: Path) -> Iterator[None]:
    """Locks for one writer at a time, and first clears away what a dead one has left."""
    if not model_dir.is_dir():
        raise _no_directory(model_dir)
    try:
        with filelock.FileLock(model_dir / _LOCK, timeout=_LOCK_SECONDS):
            for path in model_dir.iterdir():
                if path.name.startswith(_PASSING):
                    atomic_files.remove(path)
            yield
    except filelock.Timeout:
        raise VersionError(
            f"Another push, rollback or pruning has held {model_dir / _LOCK} for"
            f" {_LOCK_SECONDS} s: let it finish, then try again."
        ) from None


def _facts(model_dir: Path) -> Facts:
    """The facts of the versions that are there, those of numbers included that were pruned."""
    known, numbers = version_facts.read(model_dir), {v.number for v in _scan(model_dir)}
    makers = {number: maker for number, maker in known.makers.items() if number in numbers}
    return Facts(max([known.greatest, *numbers]), makers)
