"""A store is named by a path or URL, waited for for a while, and told of where it is down."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.settings import metadata
from pipeline import node_runner
from pipeline.store import metadata_store, runs
from tests.explains import refused
from tests.pipeline import made_nodes
from tests.pipeline.store import databases, made_metadata


@pytest.fixture(scope="module")
def postgresql() -> Iterator[databases.PostgreSQL]:
    programs = databases.programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    with databases.postgresql(programs) as server:
        yield server


def _config(store: str):
    return metadata_store.with_password(metadata.connection_config(store))


def test_a_path_is_a_sqlite_file_that_may_have_to_be_made(tmp_path: Path) -> None:
    config = _config(str(tmp_path / "new" / "metadata.sqlite"))
    with metadata_store.opened(config):
        pass
    assert metadata_store.address(config) == str(tmp_path / "new" / "metadata.sqlite")
    assert (tmp_path / "new" / "metadata.sqlite").is_file()


def test_a_url_names_host_port_user_password_database_and_tls() -> None:
    mysql = _config("mysql://me:p%40ss@db.example/meta?ca=/etc/ca.pem").mysql
    assert (mysql.host, mysql.port, mysql.user) == ("db.example", 3306, "me")
    assert (mysql.password, mysql.database, mysql.ssl_options.ca) == ("p@ss", "meta", "/etc/ca.pem")
    other = _config("postgresql://me:p@db.example:99/meta?sslmode=verify-full").postgresql
    assert (other.host, other.port, other.user, other.dbname) == ("db.example", "99", "me", "meta")
    assert (other.password, other.ssloption.sslmode) == ("p", "verify-full")
    service = _config("grpc://metadata-grpc-service.kubeflow")
    assert (service.host, service.port) == ("metadata-grpc-service.kubeflow", 8080)


@pytest.mark.parametrize(
    ("url", "variable"),
    [("mysql://me@db.example/meta", "MYSQL_PWD"), ("postgresql://me@db.example/m", "PGPASSWORD")],
)
def test_a_password_that_is_left_out_comes_from_the_environment_of_the_node(
    monkeypatch: pytest.MonkeyPatch, url: str, variable: str
) -> None:
    monkeypatch.setenv(variable, "secret")
    compiled = metadata.connection_config(url)
    assert "secret" not in str(compiled)
    assert "secret" in str(metadata_store.with_password(compiled))
    assert "secret" not in metadata_store.address(metadata_store.with_password(compiled))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("oracle://me@db/meta", "oracle://; allowed are a path, grpc://, mysql://, postgresql://"),
        ("grpc://", "no host"),
        ("mysql://db.example/meta", "mysql://USER@HOST/DATABASE"),
        ("postgresql://me@db.example", "postgresql://USER@HOST/DATABASE"),
        ("postgresql://me@db.example/m?ssl=on", "unknown options ssl; allowed are sslcert"),
        ("grpc://host?x=1", "allowed are none"),
        ("mysql://me@db.example:port/m", "[Pp]ort"),
    ],
)
def test_a_url_of_no_store_is_refused(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        metadata.check_url(url)


@pytest.mark.parametrize("scheme", ["mysql", "postgresql", "grpc"])
def test_a_server_that_is_down_is_told_with_its_address_and_not_its_password(scheme: str) -> None:
    port = databases.free_port()
    user, database = ("", "") if scheme == "grpc" else ("me:secret@", "/meta")
    config = _config(f"{scheme}://{user}127.0.0.1:{port}{database}")
    with refused(
        metadata_store.MetadataUnavailable,
        found=f"{scheme}://127.0.0.1:{port}{database} does not answer",
        allowed="once it answers",
        next="Nothing was lost.*the same command goes on",
    ) as told:
        metadata_store.wait_for(config, waits=(0.01, 0.01))
    assert "secret" not in str(told.value)


def test_a_server_that_is_started_meanwhile_is_waited_for(
    postgresql: databases.PostgreSQL,
) -> None:
    config = _config(postgresql.url("waited"))
    postgresql.stop()
    starting = threading.Timer(0.5, postgresql.start)
    starting.start()
    metadata_store.wait_for(config, waits=(0.2,) * 50)
    starting.join()


def _runs_of(store: str, folder: Path) -> list[str]:
    config = _config(store)
    with metadata_store.opened(config) as opened:
        made_metadata.record(folder, "monday", {}, pushed="7", known=opened)
    assert runs.read_run(config, "monday").pushed_version == 7
    return runs.run_ids(config)


def test_runs_are_kept_in_postgresql(postgresql: databases.PostgreSQL, tmp_path: Path) -> None:
    assert _runs_of(postgresql.url("kept"), tmp_path) == ["monday"]


def test_runs_are_kept_in_mysql(tmp_path: Path) -> None:
    server = databases.mariadb_server()
    if server is None:
        pytest.skip("MariaDB is not installed")
    with databases.mariadb(server) as url:
        assert _runs_of(url, tmp_path) == ["monday"]
        compiled = made_nodes.compiled(str(tmp_path / "two"), metadata.connection_config(url))
        states = []
        for run_id in ("tuesday", "wednesday"):
            bound = node_runner.bind(compiled, run_id)
            states += [node_runner.run_node(bound, node) for node in ("Write", "Read")]
        assert states == ["ran", "ran", "cached", "cached"]


def test_postgresql_takes_what_tfx_writes_of_a_node_that_failed(
    postgresql: databases.PostgreSQL,
) -> None:
    from ml_metadata.proto import metadata_store_pb2

    from pipeline.store.postgres_workaround import ServerStore

    told = json.dumps({"message": 'File "a.py"\nit\'s "\u00fc"'})
    assert "\\" in told
    with metadata_store.opened(_config(postgresql.url("strings"))) as opened:
        store = ServerStore(opened)
        execution = metadata_store_pb2.Execution()
        execution.type_id = store.put_execution_type(metadata_store_pb2.ExecutionType(name="node"))
        execution.custom_properties["result"].string_value = told
        [number] = store.put_executions([execution])
        [kept] = store.get_executions_by_id([number])
    assert kept.custom_properties["result"].string_value == told.replace("\\", "\uff3c")


def test_what_is_asked_for_by_ids_comes_in_their_order_whatever_postgresql_moved(
    postgresql: databases.PostgreSQL,
) -> None:
    """TFX relies on it: a cached node's outputs were taken for each other."""
    from ml_metadata.proto import metadata_store_pb2

    from pipeline.store.postgres_workaround import ServerStore

    with metadata_store.opened(_config(postgresql.url("moved"))) as opened:
        store = ServerStore(opened)
        kind = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="thing"))
        made = [metadata_store_pb2.Artifact(type_id=kind, uri=str(n)) for n in range(3)]
        ids = store.put_artifacts(made)
        first = metadata_store_pb2.Artifact(id=ids[0], type_id=kind, uri="changed")
        store.put_artifacts([first])  # PostgreSQL writes its row anew, behind the others
        assert [one.id for one in opened.get_artifacts_by_id(ids)] != ids
        wanted = [ids[1], ids[0], ids[1]]
        assert [one.id for one in store.get_artifacts_by_id(wanted)] == wanted
        assert [one.id for one in store.get_artifact_types_by_id([kind, kind])] == [kind, kind]


def test_runs_are_kept_by_ml_metadata_s_own_service(tmp_path: Path) -> None:
    with databases.grpc_service(tmp_path / "metadata.sqlite") as url:
        assert _runs_of(url, tmp_path) == ["monday"]


def test_a_sqlite_file_is_one_process_s_at_a_time(tmp_path: Path) -> None:
    config = _config(str(tmp_path / "metadata.sqlite"))
    order = []

    def second() -> None:
        with metadata_store.opened(config):
            order.append("second")

    with metadata_store.opened(config):
        waiting = threading.Thread(target=second)
        waiting.start()
        time.sleep(0.3)  # it must not get in, however long it is given
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]
