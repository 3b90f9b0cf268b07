"""A new version on trial: some clients ask for `canary`, the others for `stable`.

`advance` puts the newest version on trial, `promote` and `withdraw` end the trial, and `rollback`
moves `stable` to any version, whatever was done before. Servers read each change from
`models.config`, or take it at once where they are named.

A server refuses a label for a version that it has not loaded, and with it the whole change; and a
version must not go while a label is its own. So a trial begins and ends in two steps:

    stable 1, canary 1               loaded: 1         no trial
    stable 1, canary 1               loaded: 1 and 2   the step between, `Labels.beside` is 2
    stable 1, canary 2               loaded: 1 and 2   the trial

and a rollback, too:

    stable 2, canary 2               loaded: 2
    stable 2, canary 2               loaded: 1 and 2   `Labels.beside` is 1
    stable 1, canary 1               loaded: 1         2 counts as withdrawn

Named servers are taken through both in one call, which waits until each has loaded the version.
Servers that only read the file do not report when they have, so without names a call is one step.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from serving import labels as labelling
from serving import versions as versioning
from serving import withdrawal
from serving.access import OPEN, Access
from serving.labels import DEFAULT_NAME, Labels
from serving.push_lock import labels_locked, locked
from serving.reload import await_available, reload
from serving.versions import Version, VersionError, published
from serving.withdrawal import withdraw_version

_Options = ParamSpec("_Options")
_Found = TypeVar("_Found")


def _one_at_a_time(
    change: Callable[Concatenate[Path, _Options], _Found],
) -> Callable[Concatenate[Path, _Options], _Found]:
    """Has a change of the labels of a push directory wait for another one, and for a pruning."""

    @functools.wraps(change)
    def alone(model_dir: Path, *args: _Options.args, **options: _Options.kwargs) -> _Found:
        with labels_locked(model_dir):
            return change(model_dir, *args, **options)

    return alone


@_one_at_a_time
def advance(
    model_dir: Path,
    name: str | None = None,
    base_path: str | None = None,
    servers: Sequence[str] = (),
    access: Access = OPEN,
) -> Labels:
    """Puts the newest version on trial beside the one that is served; the first call only pins.

    From the first call on, pushes wait to be put on trial. Without `servers` one call has the
    version loaded, and the next one moves the label to it. Where nothing is newer, nothing is
    written and no server is asked.

    Args:
        model_dir: the push directory.
        name: what requests call the model; None: as in `models.config`, else `classifier`.
        base_path: the directory as the server sees it; None: as in the file, else as we do.
        servers: HOST:PORT of all servers of `model_dir`; empty: they read `models.config`.
        access: how these are reached.

    Raises:
        VersionError: nothing has been pushed, the file has no such model, or a server does not
            load the version or take the change; clients are answered as before.
    """
    tell = functools.partial(_tell, model_dir, servers, access)
    before = labelling.read(model_dir, name)
    versions = [version for version in published(model_dir) if version.state != "withdrawn"]
    stable = before.stable if before else max((each.number for each in versions), default=None)
    if stable is None or not versions:
        raise VersionError(f"{model_dir} has no version to serve: push a model first.")
    if before is None:
        path = base_path or str(model_dir.absolute())
        return tell(Labels(name or DEFAULT_NAME, path, stable, stable))
    withdrawal.settle(model_dir)
    placed = replace(before, base_path=base_path or before.base_path)
    newest = _next(before, versions)
    if newest == before.canary and before == placed and not (servers and newest != stable):
        return before
    if newest == before.canary:
        return tell(placed)
    if servers or newest not in (before.beside, *before.others):
        beside = tell(replace(placed, canary=stable, beside=newest))
        if not servers:
            return beside
    return tell(replace(placed, canary=newest, beside=None))


@_one_at_a_time
def promote(
    model_dir: Path,
    servers: Sequence[str] = (),
    name: str | None = None,
    access: Access = OPEN,
) -> Labels:
    """Makes the version on trial the stable one; the other one is loaded no more.

    A server moves the labels before it unloads (server_core.cc), so this is one step.

    Takes what `advance` takes.

    Raises:
        VersionError: none is on trial, or a server does not take the change.
    """
    tell = functools.partial(_tell, model_dir, servers, access)
    labels = _in_trial(model_dir, name)
    if labels.canary == labels.stable:
        raise VersionError(_not_yet(model_dir, labels))
    return tell(replace(labels, stable=labels.canary))


@_one_at_a_time
def withdraw(
    model_dir: Path,
    servers: Sequence[str] = (),
    name: str | None = None,
    access: Access = OPEN,
) -> Labels:
    """Ends the trial: both labels are of the stable version, then the other one is withdrawn.

    Without `servers` one call moves the label, and the next one withdraws the version, which must
    stay while a server may not have read the file yet.

    Takes what `advance` takes.

    Raises:
        VersionError: none is on trial, or a server does not take the change.
    """
    tell = functools.partial(_tell, model_dir, servers, access)
    labels = _in_trial(model_dir, name)
    leaving = labels.canary if labels.canary != labels.stable else labels.beside
    assert leaving is not None
    if labels.canary != labels.stable:
        labels = tell(replace(labels, canary=labels.stable, beside=leaving))
        if not servers:
            return labels
    kept = tell(replace(labels, beside=None))
    # Else a rollback to an older one was begun, or a label of others holds it.
    if leaving > kept.stable and leaving not in kept.others:
        withdraw_version(model_dir, leaving)
    return kept


@_one_at_a_time
def rollback(
    model_dir: Path,
    to: int,
    servers: Sequence[str] = (),
    name: str | None = None,
    access: Access = OPEN,
) -> Labels | None:
    """Makes `to` the stable version: all greater ones are withdrawn, all others are not.

    With labels and without `servers` one call has the version loaded, where it is not yet, and the
    next one moves both labels to it. Versions that the labels have left count as withdrawn from
    then on; their folders are renamed by a later call, when servers have read the file. Versions of
    other labels in `models.config` stay.

    Args:
        model_dir: the push directory.
        to: the version's number.
        servers, name, access: as for `advance`.

    Returns:
        The labels; None without `models.config`, where servers poll the directory.

    Raises:
        VersionError: no such version or directory, a server does not load it or take the change,
            or servers are named that can't be told.
    """
    tell = functools.partial(_tell, model_dir, servers, access)
    before = labelling.read(model_dir, name)
    if before is None:
        if servers:
            raise VersionError(
                f"{model_dir} has no {labelling.MODELS_CONFIG}: its servers poll the directory, and"
                " see a rollback by themselves. Run the command again without --server."
            )
        withdrawal.rollback(model_dir, to)
        return None
    versioning.check_has(model_dir, to)
    labelling.config(model_dir, before)  # or it refuses, before anything changes
    withdrawal.bring_back(model_dir, to)
    loaded = before.stable, before.canary, *before.others
    if to not in loaded and (before.beside != to or servers):
        beside = tell(replace(before, canary=before.stable, beside=to))
        if not servers:
            return beside
    after = replace(before, stable=to, canary=to, beside=None)
    if after != before:
        tell(after)
    withdrawal.withdraw_above(
        model_dir, to, at_once=bool(servers) or after == before, kept=before.others
    )
    return after


def _next(before: Labels, versions: list[Version]) -> int:
    """Returns the version to put on trial: the one that servers load already, else the newest.

    It is the one on trial, or the stable one, where none is newer.
    """
    numbers = [version.number for version in versions]
    if before.beside in numbers and before.beside is not None and before.beside > before.stable:
        return before.beside
    return max([before.canary, *(number for number in numbers if number > before.stable)])


def _not_yet(model_dir: Path, labels: Labels) -> str:
    """Returns why a version that is loaded without a label can't be promoted."""
    beside, command = labels.beside, f"--model-dir {model_dir}"
    if beside is not None and beside < labels.stable:
        return (
            f"A rollback from version {labels.stable} to {beside} was begun, and {beside} is not on"
            f" trial: `transfer-pipeline rollback {command} --to {beside}` ends it,"
            f" `transfer-pipeline canary {command} --withdraw` gives it up."
        )
    return (
        f"Version {beside} is loaded beside {labels.stable}, but not on trial yet:"
        f" `transfer-pipeline canary {command}` puts it there."
    )


def _in_trial(model_dir: Path, name: str | None) -> Labels:
    labels = labelling.read(model_dir, name)
    if labels is None or labels.loaded == {labels.stable}:
        raise VersionError(
            f"No version in {model_dir} is on trial: `transfer-pipeline canary --model-dir"
            f" {model_dir}` puts the newest one there, `transfer-pipeline rollback --model-dir"
            f" {model_dir} --to N` makes any other one stable."
        )
    return labels


def _tell(model_dir: Path, servers: Sequence[str], access: Access, labels: Labels) -> Labels:
    """Changes the servers, once all have loaded every labelled version, then writes the file.

    In this order the file is what all have taken, and a call that failed can be made again.
    """
    config = labelling.config(model_dir, labels)
    for server in servers:
        await_available(server, labels.name, {labels.stable, labels.canary}, access=access)
    for server in servers:
        reload(server, config, access)
    with locked(model_dir):  # or a push that begins takes the unfinished file for a dead one's
        labelling.write(model_dir, labels)
    return labels
