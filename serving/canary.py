"""A new version on trial: some clients ask for `canary`, the others for `stable`.

`advance` puts the newest version on trial, `promote` and `withdraw` end the trial. Servers read the
change from `models.config`, or at once where they are named.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from serving import labels as labelling
from serving.labels import Labels
from serving.versions import VersionError, published, withdraw_version

_RELOAD_SECONDS = 120.0
_AGAIN_SECONDS = 0.5


def advance(
    model_dir: Path, name: str, base_path: str | None = None, servers: Sequence[str] = ()
) -> Labels:
    """Puts the newest version on trial beside the one that is served; the first call only pins.

    From the first call on, pushes wait to be put on trial.

    Args:
        model_dir: the push directory.
        name: what requests call the model.
        base_path: the directory as the server sees it; None: as we do.
        servers: HOST:PORT of servers that are told at once.

    Raises:
        VersionError: nothing has been pushed, or a server does not take the change.
    """
    versions = published(model_dir)
    served = next((version.number for version in versions if version.state == "served"), None)
    if served is None:
        raise VersionError(f"{model_dir} has no version to serve: push a model first.")
    before = labelling.read(model_dir)
    newest = max(version.number for version in versions if version.state != "withdrawn")
    path = base_path or (before.base_path if before else str(model_dir.absolute()))
    return _tell(model_dir, Labels(name, path, served, newest if before else served), servers)


def promote(model_dir: Path, servers: Sequence[str] = ()) -> Labels:
    """Makes the version on trial the stable one.

    Raises:
        VersionError: none is on trial, or a server does not take the change.
    """
    labels = _on_trial(model_dir)
    return _tell(model_dir, Labels(labels.name, labels.base_path, *[labels.canary] * 2), servers)


def withdraw(model_dir: Path, servers: Sequence[str] = ()) -> Labels:
    """Ends the trial: both labels are of the stable version, and the other one is withdrawn.

    Servers that are not named here may fail requests for `canary` until they read the file again.

    Raises:
        VersionError: none is on trial, or a server does not take the change.
    """
    labels = _on_trial(model_dir)
    kept = _tell(model_dir, Labels(labels.name, labels.base_path, *[labels.stable] * 2), servers)
    withdraw_version(model_dir, labels.canary)
    return kept


def _on_trial(model_dir: Path) -> Labels:
    labels = labelling.read(model_dir)
    if labels is None or labels.canary == labels.stable:
        raise VersionError(
            f"No version in {model_dir} is on trial: `transfer-pipeline canary --model-dir"
            f" {model_dir}` puts the newest one there."
        )
    return labels


def _tell(model_dir: Path, labels: Labels, servers: Sequence[str]) -> Labels:
    labelling.write(model_dir, labels)
    for server in servers:
        _reload(server, labels)
    return labels


def _reload(server: str, labels: Labels) -> None:
    """Until the server has loaded what gets a label: before, it refuses (server_core.cc)."""
    import grpc
    from tensorflow_serving.apis.model_management_pb2 import ReloadConfigRequest
    from tensorflow_serving.apis.model_service_pb2_grpc import ModelServiceStub

    request = ReloadConfigRequest(config=labelling.config(labels))
    end = time.monotonic() + _RELOAD_SECONDS
    with grpc.insecure_channel(server) as channel:
        while True:
            try:
                ModelServiceStub(channel).HandleReloadConfigRequest(request, timeout=60)
                return
            except grpc.RpcError as error:
                waits = error.code() == grpc.StatusCode.FAILED_PRECONDITION
                if not waits or time.monotonic() > end:
                    raise VersionError(
                        f"{server} does not take the change: {error.details()}"
                    ) from None
            time.sleep(_AGAIN_SECONDS)
