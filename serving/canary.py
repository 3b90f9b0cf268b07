"""A new version on trial: some clients ask for `canary`, the others for `stable`.

`advance` puts the newest version on trial, `promote` and `withdraw` end the trial. Servers read
each change from `models.config`, or take it at once where they are named.

A server refuses a label for a version that it has not loaded, and with it the whole change; and a
version must not go while a label is its own. So a trial begins and ends in two steps:

    stable 1, canary 1               loaded: 1         no trial
    stable 1, canary 1               loaded: 1 and 2   the step between, `Labels.labelled` is false
    stable 1, canary 2               loaded: 1 and 2   the trial

Named servers are taken through both in one call, which waits until each has loaded the version.
Servers that only read the file do not report when they have, so without names a call is one step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from serving import labels as labelling
from serving.labels import Labels
from serving.reload import await_available, reload
from serving.versions import Version, VersionError, published, withdraw_version


def advance(
    model_dir: Path, name: str, base_path: str | None = None, servers: Sequence[str] = ()
) -> Labels:
    """Puts the newest version on trial beside the one that is served; the first call only pins.

    From the first call on, pushes wait to be put on trial. Without `servers` one call has the
    version loaded, and the next one moves the label to it.

    Args:
        model_dir: the push directory.
        name: what requests call the model.
        base_path: the directory as the server sees it; None: as we do.
        servers: HOST:PORT of all servers of `model_dir`; empty: they read `models.config`.

    Raises:
        VersionError: nothing has been pushed, or a server does not load the version or take the
            change; clients are answered as before.
    """
    versions = [version for version in published(model_dir) if version.state != "withdrawn"]
    stable = next((version.number for version in versions if version.state == "served"), None)
    if stable is None:
        raise VersionError(f"{model_dir} has no version to serve: push a model first.")
    before = labelling.read(model_dir)
    path = base_path or (before.base_path if before else str(model_dir.absolute()))
    if before is None:
        return _tell(model_dir, Labels(name, path, stable, stable), servers)
    waits = not before.labelled
    on_trial = Labels(name, path, stable, _next(before, versions))
    loads = on_trial.canary not in (stable, before.canary)
    if loads or (waits and servers):
        beside = _tell(model_dir, replace(on_trial, labelled=False), servers)
        if not servers:
            return beside
    return _tell(model_dir, on_trial, servers)


def promote(model_dir: Path, servers: Sequence[str] = ()) -> Labels:
    """Makes the version on trial the stable one; the other one is loaded no more.

    A server moves the labels before it unloads (server_core.cc), so this is one step.

    Args:
        model_dir: the push directory.
        servers: as for `advance`.

    Raises:
        VersionError: none is on trial, or a server does not take the change.
    """
    labels = _on_trial(model_dir)
    if not labels.labelled:
        raise VersionError(
            f"Version {labels.canary} is loaded beside {labels.stable}, but not on trial yet:"
            f" `transfer-pipeline canary --model-dir {model_dir}` puts it there."
        )
    return _tell(model_dir, replace(labels, stable=labels.canary), servers)


def withdraw(model_dir: Path, servers: Sequence[str] = ()) -> Labels:
    """Ends the trial: both labels are of the stable version, then the other one is withdrawn.

    Without `servers` one call moves the label, and the next one withdraws the version, which must
    stay while a server may not have read the file yet.

    Args:
        model_dir: the push directory.
        servers: as for `advance`.

    Raises:
        VersionError: none is on trial, or a server does not take the change.
    """
    labels = _on_trial(model_dir)
    if labels.labelled:
        labels = _tell(model_dir, replace(labels, labelled=False), servers)
        if not servers:
            return labels
    kept = _tell(model_dir, replace(labels, canary=labels.stable, labelled=True), servers)
    withdraw_version(model_dir, labels.canary)
    return kept


def _next(before: Labels, versions: list[Version]) -> int:
    """Returns the version to put on trial: the one that servers load already, else the newest."""
    numbers = [version.number for version in versions]
    return before.canary if not before.labelled and before.canary in numbers else max(numbers)


def _on_trial(model_dir: Path) -> Labels:
    labels = labelling.read(model_dir)
    if labels is None or labels.canary == labels.stable:
        raise VersionError(
            f"No version in {model_dir} is on trial: `transfer-pipeline canary --model-dir"
            f" {model_dir}` puts the newest one there."
        )
    return labels


def _tell(model_dir: Path, labels: Labels, servers: Sequence[str]) -> Labels:
    """Changes the servers, once all have loaded every labelled version, then writes the file.

    In this order the file is what all have taken, and a call that failed can be made again.
    """
    asked = {labels.stable, labels.canary if labels.labelled else labels.stable}
    for server in servers:
        await_available(server, labels.name, asked)
    for server in servers:
        reload(server, labelling.config(labels))
    labelling.write(model_dir, labels)
    return labels
