"""The local server and the client record what they were asked; TensorFlow itself reads it."""

from __future__ import annotations

import asyncio
import hashlib
import io
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import tensorflow as tf
from PIL import Image

from serving.client import AsyncClient, Client, Recording
from serving.local_server.models import one_model
from serving.local_server.server import LocalServer
from serving.recording.recorder import PATTERN

VERSION = 3


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def address(saved_model: Path, kept: Path) -> Iterator[str]:
    folder = kept / "models"
    shutil.copytree(saved_model, folder / str(VERSION))
    with LocalServer(
        one_model("classifier", folder),
        port=0,
        rest_port=0,
        record=Recording(kept / "server", every=1),
        announce=lambda _: None,
    ) as server:
        address = f"127.0.0.1:{server.port}"
        with Client(address) as client:
            until = time.monotonic() + 60
            while time.monotonic() < until:
                states = client.status()
                if states and states[0].state == "AVAILABLE":
                    break
                time.sleep(0.05)
        yield address


def picture(level: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 6), (level, 5, 5)).save(file, "PNG")
    return file.getvalue()


def examples(folder: Path) -> list[tf.train.Example]:
    """By TensorFlow's own reader, which looks at the checksums."""
    files = sorted(map(str, folder.glob(PATTERN)))
    return [tf.train.Example.FromString(each.numpy()) for each in tf.data.TFRecordDataset(files)]


def test_tensorflow_reads_what_client_and_server_recorded(address: str, kept: Path) -> None:
    sent = [picture(level) for level in (100, 200, 250)]
    with Client(address, record=Recording(kept / "client", every=1, thumbnail=4)) as client:
        answers = client.classify(sent)
    for side in ("client", "server"):
        found = {
            each.features.feature["sha256"].bytes_list.value[0].decode(): each.features.feature
            for each in examples(kept / side)
        }
        assert len(found) == 3
        for data, answer in zip(sent, answers, strict=True):
            features = found[hashlib.sha256(data).hexdigest()]
            names = [name.decode() for name in features["classes"].bytes_list.value]
            assert tuple(names) == answer.classes
            assert features["scores"].float_list.value == pytest.approx(answer.scores)
            assert features["version"].int64_list.value == [VERSION]
            assert features["model"].bytes_list.value == [b"classifier"]
            assert features["width"].int64_list.value == [8]


def test_the_asynchronous_client_records_too(address: str, tmp_path: Path) -> None:
    async def ask() -> None:
        async with AsyncClient(address, record=Recording(tmp_path, every=1)) as client:
            await client.classify([picture(30), picture(40)])

    asyncio.run(ask())
    assert len(examples(tmp_path)) == 2


def test_nothing_is_recorded_unless_asked_for(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Client(address) as client:
        client.classify([picture(50)])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_fails_fails_no_request(address: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with Client(address, record=Recording(tmp_path / "file" / "x", every=1)) as client:
        assert len(client.classify([picture(60)])) == 1
