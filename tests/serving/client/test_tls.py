"""TLS and mTLS, with keys from serving/deploy/make_certificates.sh; bearer tokens."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import typer

import serving
from pipeline.commands import versions_group
from serving import config_files
from serving.client import (
    AsyncClient,
    Client,
    ClientError,
    DeadlineExceeded,
    ServerUnavailable,
    Tls,
)
from serving.versions import VersionError
from tests.explains import refused
from tests.serving.client.test_client import Moody, picture
from tests.serving.samples import png
from tests.serving.server_process import ServerProcess

SCRIPT = Path(serving.__file__).parent / "deploy" / "make_certificates.sh"

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl on this machine")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    environment = os.environ | {"CLIENT_VERIFY": "true"}
    subprocess.run([SCRIPT, folder], env=environment, check=True, stdout=subprocess.DEVNULL)
    return folder


@pytest.fixture(scope="module")
def secured(
    saved_model: Path, keys: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """A server that wants a certificate of its clients."""
    folder = tmp_path_factory.mktemp("secured")
    shutil.copytree(saved_model, folder / "1")
    process = ServerProcess(folder, "--ssl-config-file", str(keys / "ssl.config"))
    process.wait_until_listening()
    process.wait_for_line("AVAILABLE")
    yield process
    process.kill()


def mutual(keys: Path) -> Tls:
    return Tls(keys / "ca.pem", keys / "client.pem", keys / "client.key")


def test_both_sides_prove_who_they_are(secured: ServerProcess, keys: Path) -> None:
    with Client(secured.address, tls=mutual(keys)) as client:
        assert client.classify([png(picture("red"))])[0].classes[0] == "red"

    async def ask() -> str:
        async with AsyncClient(secured.address, tls=mutual(keys)) as client:
            return (await client.classify([png(picture("blue"))]))[0].classes[0]

    assert asyncio.run(ask()) == "blue"


@pytest.mark.parametrize("tls", ["none", "no certificate of its own", "another authority"])
def test_who_does_not_gets_no_answer(tls: str, secured: ServerProcess, keys: Path) -> None:
    offered = {
        "none": None,
        "no certificate of its own": Tls(keys / "ca.pem"),
        "another authority": Tls(keys / "client.pem", keys / "client.pem", keys / "client.key"),
    }[tls]
    with (
        Client(secured.address, tls=offered, timeout=3.0) as client,
        refused(
            ClientError,
            found=secured.address,
            allowed=r"all that `timeout` allows|\(8500 unless set",
            next="Give it more time|Start one",
        ) as refusal,
    ):
        client.status()
    assert isinstance(refusal.value, ServerUnavailable | DeadlineExceeded)  # it tries to connect


def test_a_token_goes_along_over_tls_alone(keys: Path) -> None:
    class Guarded(Moody):
        def Predict(self, request, context):  # noqa: N802, the service's own name
            seen.append(dict(context.invocation_metadata())["authorization"])
            return super().Predict(request, context)

    from concurrent.futures import ThreadPoolExecutor

    from tensorflow_serving.apis.prediction_service_pb2_grpc import (
        add_PredictionServiceServicer_to_server,
    )

    seen: list[str] = []
    tokens = iter(["first", "second"])
    ssl = config_files.read_ssl(keys / "ssl.config")
    credentials = grpc.ssl_server_credentials([(ssl.server_key.encode(), ssl.server_cert.encode())])
    server = grpc.server(ThreadPoolExecutor(2))
    add_PredictionServiceServicer_to_server(Guarded(lambda *_: None), server)
    port = server.add_secure_port("localhost:0", credentials)
    server.start()
    try:
        tls = Tls(keys / "ca.pem")
        with Client(f"localhost:{port}", tls=tls, token=lambda: next(tokens)) as client:
            client.classify([png()])
            client.classify([png()])
    finally:
        server.stop(None)
    assert seen == ["Bearer first", "Bearer second"]
    with pytest.raises(ValueError, match="without TLS"):
        Client(token="secret")


def test_a_certificate_needs_its_key(keys: Path) -> None:
    with pytest.raises(ValueError, match="both or neither"):
        Tls(certificate=keys / "client.pem")


def test_a_canary_and_a_rollback_reach_servers_that_want_a_certificate(
    saved_model: Path, keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "pushed"
    shutil.copytree(saved_model, folder / "1")
    versions_group.canary(folder)
    files = ["--model-config-file", str(folder / "models.config")]
    process = ServerProcess(None, *files, "--ssl-config-file", str(keys / "ssl.config"))
    try:
        process.wait_until_listening()
        process.wait_for_line("AVAILABLE")
        shutil.copytree(saved_model, folder / "2")
        proof = {name: keys / f"client.{end}" for name, end in (("cert", "pem"), ("key", "key"))}
        named: Any = {"server": [process.address], "ca": keys / "ca.pem", **proof}
        versions_group.canary(folder, **named)
        assert "stable 1, canary 2" in capsys.readouterr().out
        with Client(process.address, label="canary", tls=mutual(keys)) as client:
            assert client.classify([png(picture("red"))])[0].classes[0] == "red"
        versions_group.canary(folder, promote=True, **named)
        versions_group.rollback(folder, to=1, **named)
        assert "serves version 1" in capsys.readouterr().out
        with Client(process.address, tls=mutual(keys)) as client:
            [first] = [each for each in client.status() if each.version == 1]
        assert first.state == "AVAILABLE"
    finally:
        process.kill()


def test_files_for_a_server_that_cannot_be_used_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").touch()
    with refused(
        VersionError,
        found="Nothing was changed: .*No such file",
        allowed="",
        next=str(tmp_path / "gone.pem"),
    ):
        versions_group.canary(tmp_path, server=["localhost:1"], ca=tmp_path / "gone.pem")
    assert not (tmp_path / "models.config").exists()
    with pytest.raises(typer.BadParameter, match="name them with --server"):
        versions_group.canary(tmp_path, ca=tmp_path / "gone.pem")
