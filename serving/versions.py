"""The push directory: one folder per version, named by its number, which TensorFlow Serving polls.

TensorFlow Serving looks once a second, loads the greatest number and ignores every name that is not
an integer (file_system_storage_path_source.cc). All here is built on that: a version comes, goes
and comes back by one rename, so a server that looks at any moment finds whole versions only.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

import filelock

from serving import atomic_files, labels, version_facts
from serving.labels import VersionError
from serving.names import some
from serving.version_facts import Facts
from serving.version_names import WITHDRAWN, folders, next_number, strangers

State = Literal["served", "canary", "newer", "older", "withdrawn"]

_LOCK = ".lock"
_LOCK_SECONDS = 300
_READ_SECONDS = 60.0  # after which servers have read a `models.config`
_SHOWN = 5
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


def check_is_push_directory(model_dir: Path) -> None:
    """Refuses a folder that nothing was ever pushed into.

    Raises:
        VersionError: names what is there instead.
    """
    if not model_dir.is_dir():
        raise _no_directory(model_dir)
    if not published(model_dir) and not version_facts.exist(model_dir):
        names = sorted(path.name for path in model_dir.iterdir())
        found = f"it holds {some(names, _SHOWN)}" if names else "it is empty"
        raise VersionError(
            f"{model_dir} is no push directory: {found}; a push directory holds a folder per"
            " version, named by its number. Name the one that models are pushed to"
            " (`push.directory`)."
        )


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
        VersionError: `saved_model` is no SavedModel, another process holds the lock, or no number
            is left that a server can hold.
    """
    if not (saved_model / "saved_model.pb").is_file():
        raise VersionError(f"{saved_model} is no SavedModel: it has no file saved_model.pb.")
    _make(model_dir)
    with _locked(model_dir):
        for sentence in strangers(model_dir):
            logging.warning(sentence)
        incoming = model_dir / f"{_PASSING[0]}{uuid.uuid4().hex}"
        try:
            atomic_files.copy_tree(saved_model, incoming)
            facts = _facts(model_dir)
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


def published_by(model_dir: Path, maker: str) -> Version | None:
    """Returns the newest version there is that `maker` published; None if there is none."""
    if not model_dir.is_dir():
        return None
    known = version_facts.read(model_dir).makers
    return next((each for each in published(model_dir) if known.get(each.number) == maker), None)


def maker_of(model_dir: Path, number: int) -> str | None:
    """Returns the run that published a version; None where that is not known."""
    return version_facts.read(model_dir).makers.get(number)


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
        if _seconds_since_labels(model_dir) > _READ_SECONDS:
            _settle(model_dir)
        leaving_labels = _withdrawn_by_labels(model_dir)
        versions = [each for each in published(model_dir) if each.number not in leaving_labels]
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
            are labels: a server that reads them would not see the step, see `canary.rollback`.
    """
    if labels.read(model_dir) is not None:
        raise VersionError(
            f"{model_dir / labels.MODELS_CONFIG} says which versions are served: use"
            f" `transfer-pipeline rollback --model-dir {model_dir} --to {to}`, which moves its"
            " labels, or remove the file."
        )
    with _locked(model_dir):
        versions = {version.number: version for version in published(model_dir)}
        check_has(model_dir, to)
        _bring_back(versions[to])  # takes effect here if `to` is the greatest now ...
        for number in sorted(number for number in versions if number > to):
            _withdraw(versions[number])  # ... or else at the last of these, the served one
        for number in sorted(number for number in versions if number < to):
            _bring_back(versions[number])


def check_has(model_dir: Path, number: int) -> None:
    """Refuses a number that no version has.

    Raises:
        VersionError: names those that are there.
    """
    versions = {version.number: version for version in published(model_dir)}
    if number not in versions:
        raise VersionError(f"{model_dir} has no version {number}; {_listing(versions)}")


def bring_back(model_dir: Path, number: int) -> None:
    """Has a version's folder under the name that servers read, where it was withdrawn.

    Raises:
        VersionError: no such version or directory, or another process holds the lock.
    """
    with _locked(model_dir):
        check_has(model_dir, number)
        facts = _facts(model_dir)
        version_facts.write(model_dir, replace(facts, withdrawn=facts.withdrawn - {number}))
        for version in published(model_dir):
            if version.number == number:
                _bring_back(version)


def withdraw_above(model_dir: Path, to: int, at_once: bool) -> None:
    """Withdraws every version greater than `to`, which the labels have left, and no other one.

    Args:
        model_dir: the push directory.
        to: the version of `stable`.
        at_once: all servers have the labels. Else some may still read `models.config`, and lose
            a version whose folder goes: then `settle` renames the folders later.

    Raises:
        VersionError: no such directory, or another process holds the lock.
    """
    with _locked(model_dir):
        for version in published(model_dir):
            if version.number < to:
                _bring_back(version)
        facts = _facts(model_dir)
        greater = frozenset(each.number for each in published(model_dir) if each.number > to)
        version_facts.write(model_dir, replace(facts, withdrawn=greater))
        if at_once:
            _settle(model_dir)


def settle(model_dir: Path) -> None:
    """Renames the folders of versions that the labels have left.

    Raises:
        VersionError: no such directory, or another process holds the lock.
    """
    with _locked(model_dir):
        _settle(model_dir)


def withdraw_version(model_dir: Path, number: int) -> None:
    """Withdraws one version that no server is to serve any more.

    Raises:
        VersionError: no such directory, or another process holds the lock.
    """
    with _locked(model_dir):
        for version in published(model_dir):
            if version.number == number:
                _withdraw(version)


def _settle(model_dir: Path) -> None:
    leaving = _withdrawn_by_labels(model_dir)
    for version in published(model_dir):
        if version.number in leaving:
            _withdraw(version)
    facts = _facts(model_dir)
    if facts.withdrawn:
        version_facts.write(model_dir, replace(facts, withdrawn=frozenset()))


def _withdrawn_by_labels(model_dir: Path) -> frozenset[int]:
    """Versions that are withdrawn while their folders wait; none without labels.

    Without labels, servers look at the folders alone.
    """
    if not (model_dir / labels.MODELS_CONFIG).is_file():
        return frozenset()
    return version_facts.read(model_dir).withdrawn


def _seconds_since_labels(model_dir: Path) -> float:
    path = model_dir / labels.MODELS_CONFIG
    return time.time() - path.stat().st_mtime if path.is_file() else 0.0


def _withdraw(version: Version) -> None:
    if not version.path.name.endswith(WITHDRAWN):
        atomic_files.rename(version.path, version.path.with_name(f"{version.number}{WITHDRAWN}"))


def _bring_back(version: Version) -> None:
    if version.path.name.endswith(WITHDRAWN):
        atomic_files.rename(version.path, version.path.with_name(str(version.number)))


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


def _scan(model_dir: Path) -> list[Version]:
    leaving = _withdrawn_by_labels(model_dir)
    found = [
        (number, withdrawn or number in leaving, path)
        for number, withdrawn, path in folders(model_dir)
    ]
    live = {number for number, withdrawn, _ in found if not withdrawn}
    named = labels.read(model_dir)
    served = named.stable if named and named.stable in live else max(live, default=0)
    trial = {named.canary, named.beside} if named else set()
    return [
        Version(
            number,
            "withdrawn" if withdrawn else _state(number, served, trial),
            datetime.fromtimestamp(path.stat().st_mtime, timezone.utc),
            path,
        )
        for number, withdrawn, path in sorted(found, reverse=True)
    ]


def _state(number: int, served: int, trial: Container[int | None]) -> State:
    if number == served:
        return "served"
    if number in trial:
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
    known, numbers = version_facts.read(model_dir), {number for number, *_ in folders(model_dir)}
    makers = {number: maker for number, maker in known.makers.items() if number in numbers}
    return Facts(max([known.greatest, *numbers]), makers, known.withdrawn & numbers)
