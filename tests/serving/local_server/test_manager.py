from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from PIL import Image
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from serving.publishing import publish
from serving.withdrawal import rollback
from tests.serving.samples import png
from tests.serving.server_process import ServerProcess, wait_until
from tests.serving.tiny_model import add_warmup, busy_request, predict_request

RED = png(Image.new("RGB", (8, 8), "red"))


@pytest.fixture
def pushed(changing: tuple[Path, ServerProcess]) -> Iterator[tuple[Path, ServerProcess]]:
    """An empty model directory, and the server that follows it, which has nothing loaded."""
    folder, server = changing
    empty(folder, server)
    yield folder, server
    assert "Traceback" not in server.log()


def empty(folder: Path, server: ServerProcess) -> None:
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        if path.is_dir():
            path.rename(folder / ".gone")
            shutil.rmtree(folder / ".gone")
    wait_until(lambda: set(server.states().values()) <= {"END"}, server.log)


def put(model: Path, folder: Path, version: int) -> None:
    """Copies a model in under a hidden name, then names it: as a push does."""
    shutil.copytree(model, folder / ".incoming")
    (folder / ".incoming").rename(folder / str(version))


def add_node(model: Path, node: NodeDef) -> None:
    file = model / "saved_model.pb"
    saved = SavedModel.FromString(file.read_bytes())
    saved.meta_graphs[0].graph_def.node.append(node)
    file.write_bytes(saved.SerializeToString())


def answering(server: ServerProcess) -> int:
    return server.predictions.Predict(predict_request([RED])).model_spec.version.value


def asking(server: ServerProcess, until: Callable[[], bool]) -> tuple[set[int], list[str]]:
    """Asks from four threads without a pause: the versions that answered, and all errors."""
    versions: set[int] = set()
    errors: list[str] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            try:
                versions.add(answering(server))
            except grpc.RpcError as error:
                errors.append(str(error))

    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(ask)
        try:
            wait_until(until, server.log)
        finally:
            done.set()
    return versions, errors


def test_a_new_version_takes_over_without_a_failed_request(
    saved_model: Path, pushed: tuple[Path, ServerProcess]
) -> None:
    folder, server = pushed
    put(saved_model, folder, 11)
    server.wait_for_states(_11="AVAILABLE")
    put(saved_model, folder, 12)
    versions, errors = asking(server, lambda: server.states()[11] == "END")
    assert errors == []
    assert versions == {11, 12}
    assert server.states() | {11: "END", 12: "AVAILABLE"} == server.states()


def test_a_rollback_is_followed_and_undone_without_a_failed_request(
    saved_model: Path, pushed: tuple[Path, ServerProcess]
) -> None:
    folder, server = pushed
    good, bad = publish(saved_model, folder), publish(saved_model, folder)
    wait_until(lambda: server.states().get(bad) == "AVAILABLE", server.log)
    rollback(folder, good)
    versions, errors = asking(server, lambda: server.states()[bad] == "END")
    assert (versions, errors) == ({good, bad}, [])
    assert answering(server) == good
    rollback(folder, bad)
    versions, errors = asking(server, lambda: server.states()[good] == "END")
    assert (versions, errors) == ({good, bad}, [])
    assert answering(server) == bad


@pytest.mark.parametrize(
    ("fault", "code", "message"),
    [
        (
            "half copied",
            "NOT_FOUND",
            "{}/variables/variables.data-00000-of-00001; No such file or directory",
        ),
        ("corrupt", "DATA_LOSS", "Can't parse {}/saved_model.pb as binary proto"),
        (
            "no graph",
            "NOT_FOUND",
            "Specified file path does not appear to contain a SavedModel bundle (should have a file"
            " called `saved_model.pb`)\nSpecified file path: {}",
        ),
        ("unknown op", "NOT_FOUND", "Op type not registered 'NoSuchOp' in binary running on"),
        ("loose end", "INVALID_ARGUMENT", "Node 'more': Unknown input node 'none'"),
        ("warm-up fails", "INVALID_ARGUMENT", "Unknown image file format."),
    ],
)
def test_a_bad_version_ends_with_its_error_and_the_old_one_goes_on(
    fault: str,
    code: str,
    message: str,
    saved_model: Path,
    pushed: tuple[Path, ServerProcess],
    tmp_path: Path,
) -> None:
    folder, server = pushed
    good = max(server.states(), default=0) + 1  # the errors of earlier ones are still told
    ill, better = good + 1, good + 2
    put(saved_model, folder, good)
    server.wait_for_states(**{f"_{good}": "AVAILABLE"})
    bad = Path(shutil.copytree(saved_model, tmp_path / "bad"))
    if fault == "half copied":
        (bad / "variables" / "variables.data-00000-of-00001").unlink()
    elif fault == "corrupt":
        (bad / "saved_model.pb").write_bytes(b"noise" * 100)
    elif fault == "no graph":
        (bad / "saved_model.pb").unlink()
    elif fault == "unknown op":
        add_node(bad, NodeDef(name="more", op="NoSuchOp"))
    elif fault == "loose end":
        add_node(bad, NodeDef(name="more", op="Identity", input=["none"]))
    else:
        add_warmup(bad, predict_request([RED]), predict_request([b"no picture"]))
    put(bad, folder, ill)
    _, errors = asking(server, lambda: server.states().get(ill) == "END")
    assert errors == []
    assert answering(server) == good
    ended = server.rest(f"/v1/models/classifier/versions/{ill}")[1]["model_version_status"][0]
    assert ended["status"]["error_code"] == code
    assert ended["status"]["error_message"].startswith(message.format(folder / str(ill)))
    assert server.states()[good] == "AVAILABLE"
    put(saved_model, folder, better)
    server.wait_for_states(**{f"_{good}": "END", f"_{better}": "AVAILABLE"})


def test_a_version_is_available_only_once_it_is_warm(
    saved_model: Path, pushed: tuple[Path, ServerProcess], tmp_path: Path
) -> None:
    folder, server = pushed
    put(saved_model, folder, 31)
    server.wait_for_states(_31="AVAILABLE")
    warm = Path(shutil.copytree(saved_model, tmp_path / "warm"))
    put(add_warmup(warm, busy_request(4.0), predict_request([RED])), folder, 32)
    server.wait_for_states(_32="LOADING")
    start = time.monotonic()
    assert answering(server) == 31
    server.wait_for_states(_32="AVAILABLE")
    assert time.monotonic() - start > 1.5
    assert answering(server) == 32


def test_requests_on_a_leaving_version_finish(
    saved_model: Path, pushed: tuple[Path, ServerProcess]
) -> None:
    folder, server = pushed
    put(saved_model, folder, 41)
    server.wait_for_states(_41="AVAILABLE")
    under_way = server.predictions.Predict.future(busy_request(4.0))
    put(saved_model, folder, 42)
    server.wait_for_states(_41="UNLOADING", _42="AVAILABLE")
    assert answering(server) == 42
    assert under_way.result().model_spec.version.value == 41
    server.wait_for_states(_41="END")


def test_a_leaving_version_that_comes_back_stays(
    saved_model: Path, pushed: tuple[Path, ServerProcess]
) -> None:
    folder, server = pushed
    put(saved_model, folder, 61)
    server.wait_for_states(_61="AVAILABLE")
    under_way = server.predictions.Predict.future(busy_request(5.0))
    put(saved_model, folder, 62)
    server.wait_for_states(_61="UNLOADING", _62="AVAILABLE")
    (folder / "62").rename(folder / "62.withdrawn")
    server.wait_for_states(_61="AVAILABLE", _62="END")
    assert under_way.result().model_spec.version.value == 61
    assert answering(server) == 61
    assert server.states()[61] == "AVAILABLE"


def test_a_version_whose_folder_vanishes_gives_way_to_the_one_before(
    saved_model: Path, pushed: tuple[Path, ServerProcess]
) -> None:
    folder, server = pushed
    put(saved_model, folder, 71)
    put(saved_model, folder, 72)
    server.wait_for_states(_72="AVAILABLE")
    (folder / "72").rename(folder.with_name("vanished"))
    versions, errors = asking(server, lambda: server.states()[72] == "END")
    assert (versions, errors) == ({71, 72}, [])
    assert answering(server) == 71
    assert server.states()[71] == "AVAILABLE"


def test_a_missing_directory_keeps_and_an_empty_one_unloads(
    saved_model: Path, pushed: tuple[Path, ServerProcess]
) -> None:
    folder, server = pushed
    put(saved_model, folder, 51)
    server.wait_for_states(_51="AVAILABLE")
    away = folder.with_name("away")
    folder.rename(away)
    time.sleep(2.5)  # two looks at nothing
    assert answering(server) == 51
    away.rename(folder)
    empty(folder, server)
    with pytest.raises(grpc.RpcError) as gone:
        answering(server)
    assert gone.value.details() == "Servable not found for request: Latest(classifier)"
    put(saved_model, folder, 51)
    server.wait_for_states(_51="AVAILABLE")
