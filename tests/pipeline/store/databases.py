"""Servers of ML Metadata for tests: PostgreSQL, MariaDB, and ML Metadata's own gRPC service."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_USERS = ("postgres", "nobody")  # PostgreSQL refuses to be run by root


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def programs() -> Path | None:
    """The folder of PostgreSQL's programs, None where it is not installed."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = str(debian[-1]) if debian else shutil.which("initdb")
    return Path(found).resolve().parent if found else None


class PostgreSQL:
    """A server with a user `mlmd` who needs no password; it can be stopped and started again."""

    def __init__(self, programs: Path, folder: Path):
        self._programs, self._folder, self._port = programs, folder, free_port()
        self._user = None
        if os.geteuid() == 0:
            known = {entry.pw_name for entry in pwd.getpwall()}
            self._user = next(name for name in _USERS if name in known)
            shutil.chown(folder, self._user)
        self._call("initdb", "-U", "mlmd", "-A", "trust", "--no-sync")

    def url(self, database: str) -> str:
        """The address of a database, which ML Metadata makes if it is not there."""
        return f"postgresql://mlmd@127.0.0.1:{self._port}/{database}"

    def start(self) -> None:
        """Starts it and waits until it answers."""
        options = f"-p {self._port} -k {self._folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._call("pg_ctl", "-w", "-o", options, "-l", str(self._folder / "log"), "start")

    def stop(self) -> None:
        """Stops it, whoever is connected."""
        self._call("pg_ctl", "-w", "-m", "immediate", "stop")

    def _call(self, program: str, *words: str) -> None:
        command = [str(self._programs / program), "-D", str(self._folder / "data"), *words]
        done = subprocess.run(
            command, user=self._user, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        assert done.returncode == 0, done.stderr.decode()


@contextmanager
def postgresql(programs: Path) -> Iterator[PostgreSQL]:
    """A started server; its folder lies where another user may go."""
    with tempfile.TemporaryDirectory() as folder:
        server = PostgreSQL(programs, Path(folder))
        server.start()
        yield server
        server.stop()


@contextmanager
def mariadb(server: Path) -> Iterator[str]:
    """A started MariaDB, by its program; gives the URL of a database that is not there yet."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, port = Path(scratch), free_port()
        base = server.parents[1]
        places = [f"--basedir={base}", f"--datadir={folder / 'data'}"]
        user = pwd.getpwuid(os.geteuid()).pw_name  # it may be root, if it is named
        make = [str(base / "bin" / "mariadb-install-db"), "--no-defaults", *places]
        words = ["--auth-root-authentication-method=normal", f"--user={user}"]
        subprocess.run([*make, *words], check=True, stdout=subprocess.DEVNULL)
        first = folder / "first.sql"
        first.write_text(
            "CREATE USER mlmd@'127.0.0.1' IDENTIFIED BY 'secret';\n"
            "GRANT ALL ON *.* TO mlmd@'127.0.0.1';\n"
        )
        options = ["--bind-address=127.0.0.1", f"--port={port}", f"--socket={folder / 'socket'}"]
        started = [str(server), "--no-defaults", *places, f"--user={user}", *options]
        with subprocess.Popen(
            [*started, f"--init-file={first}"], stderr=(folder / "log").open("w")
        ) as process:
            yield f"mysql://mlmd:secret@127.0.0.1:{port}/metadata"
            process.terminate()


def mariadb_server() -> Path | None:
    """MariaDB's server program, None where it is not installed."""
    found = shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin")
    return Path(found).resolve() if found else None


@contextmanager
def grpc_service(file: Path) -> Iterator[str]:
    """ML Metadata's service over a SQLite file, by its own C++ library; gives the URL."""
    import grpc
    from ml_metadata.metadata_store.pywrap.metadata_store_extension import metadata_store as library
    from ml_metadata.proto import metadata_store_pb2, metadata_store_service_pb2

    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(file)
    config.sqlite.connection_mode = config.sqlite.READWRITE_OPENCREATE
    migration = metadata_store_pb2.MigrationOptions()
    store = library.CreateMetadataStore(config.SerializeToString(), migration.SerializeToString())

    def forward(method: str) -> Any:
        def call(request: bytes, context: Any) -> bytes:
            answer, message, code = getattr(library, method)(store, request)
            if code:
                context.abort(next(c for c in grpc.StatusCode if c.value[0] == code), message)
            return bytes(answer)

        return grpc.unary_unary_rpc_method_handler(call)

    [service] = metadata_store_service_pb2.DESCRIPTOR.services_by_name.values()
    handlers = {method.name: forward(method.name) for method in service.methods}
    # One thread: the library's store is for one caller at a time.
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(service.full_name, handlers)]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"grpc://127.0.0.1:{port}"
    server.stop(None).wait()
