"""Tells a server which versions to serve, and waits until it has them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from serving.access import OPEN, Access
from serving.labels import MODELS_CONFIG, VersionError

if TYPE_CHECKING:  # the client imports gRPC
    from serving.client import Client, VersionStatus

_LOAD_SECONDS = 300.0
_ASK_SECONDS = 20.0
_RELOAD_SECONDS = 60.0
_AGAIN_SECONDS = 0.5
_FAILED_SECONDS = 5.0
"""Seconds for which a version must be failed: one that comes back has its old error at first."""


def await_available(
    server: str,
    name: str,
    versions: Iterable[int],
    seconds: float = _LOAD_SECONDS,
    access: Access = OPEN,
) -> None:
    """Waits until a server answers for all of `versions`.

    Args:
        server: HOST:PORT of its gRPC.
        name: the model's.
        versions: their numbers.
        seconds: how long they may take together.
        access: how it is reached.

    Raises:
        VersionError: nothing answers there, a version does not load, or the time is over.
    """
    from serving.client import Client, RequestRefused, ServerUnavailable

    end = time.monotonic() + seconds
    failed_since: float | None = None
    with Client(server, name, timeout=_ASK_SECONDS, **_read(access)) as client:
        while True:
            try:
                states = _states(client)
            except (ServerUnavailable, RequestRefused) as error:
                raise VersionError(f"Nothing was changed: {error}") from None
            missing = [number for number in versions if not _is(states, number, "AVAILABLE")]
            if not missing:
                return
            failed = [state for state in states if state.version in missing and _failed(state)]
            now = time.monotonic()
            failed_since = (failed_since or now) if failed else None
            if failed_since is not None and now - failed_since > _FAILED_SECONDS:
                raise _not_loaded(server, failed[0])
            if now > end:
                raise _too_slow(server, name, missing, states, seconds)
            time.sleep(_AGAIN_SECONDS)


def reload(server: str, config: object, access: Access = OPEN) -> None:
    """Has a server take a ModelServerConfig at once.

    Raises:
        VersionError: it refuses it, or nothing answers.
    """
    import grpc

    from serving.api import ModelServiceStub, ReloadConfigRequest
    from serving.client.base import Options
    from serving.client.busy import Busy
    from serving.client.channel import open_channel

    request = ReloadConfigRequest(config=config)
    options = Options(server, **_read(access))
    busy = Busy(_RELOAD_SECONDS)
    with open_channel(grpc, server, -1, options.tls) as channel:
        while True:
            try:
                method = ModelServiceStub(channel).HandleReloadConfigRequest
                method(request, timeout=busy.seconds_left(), metadata=options.metadata)
                return
            except grpc.RpcError as error:
                pause = busy.pause(error)
                if pause is None:
                    raise VersionError(
                        f"{server} does not take the change ({error.code().name}:"
                        f" {error.details()}). {MODELS_CONFIG} is as before: mend the server, then"
                        " run the command again."
                    ) from None
                time.sleep(pause)


def _read(access: Access) -> dict[str, Any]:
    try:
        found = access.read()
        if found["tls"]:
            found["tls"].credentials()
    except (ValueError, OSError) as error:
        raise VersionError(f"Nothing was changed: {error}.") from error
    return found


def _states(client: Client) -> list[VersionStatus]:
    """Of all versions; none while the server does not know the model, or is too busy to answer."""
    from serving.client import DeadlineExceeded, ModelNotFound, ServerBusy

    try:
        return client.status()
    except (DeadlineExceeded, ModelNotFound, ServerBusy):
        return []


def _is(states: Sequence[VersionStatus], number: int, wanted: str) -> bool:
    return any(state.version == number and state.state == wanted for state in states)


def _failed(state: VersionStatus) -> bool:
    return state.state == "END" and bool(state.error)


def _not_loaded(server: str, failed: VersionStatus) -> VersionError:
    return VersionError(
        f"{server} does not load version {failed.version}: {failed.error}. Clients are answered as"
        " before; `transfer-pipeline canary ... --withdraw` puts the version aside."
    )


def _too_slow(
    server: str,
    name: str,
    missing: Sequence[int],
    states: Sequence[VersionStatus],
    seconds: float,
) -> VersionError:
    known = ", ".join(f"{state.version} {state.state}" for state in states) or "none"
    wanted = ", ".join(str(number) for number in missing)
    return VersionError(
        f"{server} has not loaded version {wanted} of {name!r} within {seconds:g} s; its versions:"
        f" {known}. Clients are answered as before. If it is still loading, run the command again;"
        f" if it does not know the version, it has missed an earlier change: start it again with"
        f" --model_config_file and --allow_version_labels_for_unavailable_models=true."
    )
