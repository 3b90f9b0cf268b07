"""The push directory: one folder per version, named by its number, which TensorFlow Serving polls.

TensorFlow Serving looks once a second, loads the greatest number and ignores every name that is not
an integer (file_system_storage_path_source.cc). All here is built on that: a version comes, goes
and comes back by one rename, so a server that looks at any moment finds whole versions only.

Here is what a push directory holds; `publishing` adds and prunes versions, `withdrawal` takes them
from the servers and brings them back.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

from serving import labels, version_facts
from serving.labels import VersionError
from serving.names import some
from serving.version_names import folders

State = Literal["served", "canary", "newer", "older", "withdrawn"]

_SHOWN = 5


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
    labelled: bool = False
    """Whether a label of others in `models.config` is its own."""


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
    raise no_directory(model_dir)


def check_is_push_directory(model_dir: Path) -> None:
    """Refuses a folder that nothing was ever pushed into.

    Raises:
        VersionError: names what is there instead.
    """
    if not model_dir.is_dir():
        raise no_directory(model_dir)
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


def published_by(model_dir: Path, maker: str) -> Version | None:
    """Returns the newest version there is that `maker` published; None if there is none."""
    if not model_dir.is_dir():
        return None
    known = version_facts.read(model_dir).makers
    return next((each for each in published(model_dir) if known.get(each.number) == maker), None)


def maker_of(model_dir: Path, number: int) -> str | None:
    """Returns the run that published a version; None where that is not known."""
    return version_facts.read(model_dir).makers.get(number)


def check_has(model_dir: Path, number: int) -> None:
    """Refuses a number that no version has.

    Raises:
        VersionError: names those that are there.
    """
    versions = {version.number: version for version in published(model_dir)}
    if number not in versions:
        raise VersionError(f"{model_dir} has no version {number}; {_listing(versions)}")


def withdrawn_by_labels(model_dir: Path) -> frozenset[int]:
    """Versions that are withdrawn while their folders wait; none without labels.

    Without labels, servers look at the folders alone.
    """
    if not (model_dir / labels.MODELS_CONFIG).is_file():
        return frozenset()
    return version_facts.read(model_dir).withdrawn


def no_directory(model_dir: Path) -> VersionError:
    return VersionError(
        f"There is no directory {model_dir}: name the one that models are pushed to."
    )


def _scan(model_dir: Path) -> list[Version]:
    leaving = withdrawn_by_labels(model_dir)
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
            named is not None and number in named.others,
        )
        for number, withdrawn, path in sorted(found, reverse=True)
    ]


def _state(number: int, served: int, trial: Container[int | None]) -> State:
    if number == served:
        return "served"
    if number in trial:
        return "canary"
    return "older" if number < served else "newer"


def _listing(versions: dict[int, Version]) -> str:
    if not versions:
        return "it has none: push a model first."
    listed = ", ".join(f"{each.number} ({each.state})" for each in versions.values())
    return f"it has {listed}. Name one of these."
