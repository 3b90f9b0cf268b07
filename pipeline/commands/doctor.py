"""The command `doctor`: what of this machine would be in a run's way, one line each."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from components import processor
from components.files.cache_folder import cache_dir
from components.settings import metadata
from components.step.versions import version_of
from pipeline.commands.version import version_line
from serving import real_server
from serving.names import shown_lines

_PYTHONS = {"1.16": ((3, 10), (3, 10)), "1.21": ((3, 10), (3, 13))}  # by TFX's line
_LINE_OF_PIP = "make setup, or pip install 'transfer-pipeline[pipeline]'"
_LEAST_MEMORY, _LEAST_DISK = 4.0, 5.0  # GB
_DEVICE_SECONDS = 60
_DEVICES = """
import json, tensorflow as tf
print(json.dumps([[d.device_type, d.name] + [str(tf.config.experimental.get_device_details(d)
    .get("compute_capability", ""))] for d in tf.config.list_physical_devices()]))
"""
_HALF_PRECISION = 7.0  # compute capability from which float16 is faster


@dataclasses.dataclass(frozen=True)
class Line:
    """One thing's state, and what to do; `fine` where nothing is to be done."""

    name: str
    found: str
    todo: str = ""
    in_the_way: bool = False
    """A run can't start, or can't end in a push."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """The options of `doctor`."""

    root: Path
    model_dir: Path | None = None
    store: str | None = None
    ports: tuple[int, ...] = (8500, 8501)
    devices: bool = True
    as_json: bool = False


def doctor(request: Request) -> bool:
    """Prints a line for each thing that a run needs; returns whether nothing is in the way."""
    lines = list(_lines(request))
    ready = not any(line.in_the_way for line in lines)
    if request.as_json:
        rows = [dataclasses.asdict(line) for line in lines]
        print(json.dumps({"ready": ready, "lines": rows}))
        return ready
    for line in lines:
        mark = "STOP" if line.in_the_way else "note" if line.todo else "fine"
        todo = f": {line.todo}" if line.todo else ""
        print(shown_lines(f"{mark}  {line.name:<20}{line.found}{todo}"))
    print("Next: transfer-pipeline init DIR" if ready else "STOP is in a run's way.")
    return ready


def _lines(request: Request) -> Iterator[Line]:
    yield _python()
    yield from _libraries()
    if request.devices and version_of("tensorflow"):
        yield from _devices()
    yield _memory()
    yield _disk("disk of the root", request.root)
    yield _folder("cache folder", cache_dir())
    yield _weights()
    yield _server()
    yield _store(request.root, request.store)
    yield from _pushed(request.model_dir or request.root / "served", bool(request.model_dir))
    for port in request.ports:
        yield _port(port)


def _python() -> Line:
    line = (version_of("tfx") or "").rpartition(".")[0]
    low, high = _PYTHONS.get(line, ((3, 10), (3, 14)))
    found = f"{sys.version_info.major}.{sys.version_info.minor} ({sys.executable})"
    if low <= sys.version_info[:2] <= high:
        return Line("Python", found)
    wanted = " to ".join(".".join(map(str, each)) for each in sorted({low, high}))
    return Line("Python", found, f"TFX {line} is made for {wanted}: {_LINE_OF_PIP}", True)


def _libraries() -> Iterator[Line]:
    tfx, tensorflow = version_of("tfx"), version_of("tensorflow")
    if tfx is None:
        yield Line("TFX", version_line(), f"training needs it: {_LINE_OF_PIP}", True)
    elif tfx.rpartition(".")[0] not in _PYTHONS:
        yield Line("TFX", tfx, f"tried are {', '.join(_PYTHONS)}: {_LINE_OF_PIP}")
    else:
        yield Line("TFX", tfx)
    if tensorflow is None:
        yield Line("TensorFlow", "not installed", _LINE_OF_PIP, True)
    else:
        yield Line("TensorFlow", f"{tensorflow}, Keras {version_of('keras')}")


def _devices() -> Iterator[Line]:
    """Looks at TensorFlow in a process of its own, which may crash over a broken driver."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _DEVICES],
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
            timeout=_DEVICE_SECONDS,
        )
        found = json.loads(done.stdout.strip().splitlines()[-1])
    except subprocess.TimeoutExpired:
        yield Line("devices", f"no answer in {_DEVICE_SECONDS} s", "ask again on a quiet machine")
        return
    except (OSError, ValueError, IndexError):
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        yield Line("devices", f"TensorFlow can't be imported ({last})", _LINE_OF_PIP, True)
        return
    gpus = [row for row in found if row[0] == "GPU"]
    for _, name, capability in gpus:
        numbers = [float(part) for part in capability.strip("()").split(",") if part.strip()]
        half = bool(numbers) and numbers[0] >= _HALF_PRECISION
        yield Line("device", f"{name}, {'float16' if half else 'float32'}")
    if not gpus:
        precision = "bfloat16" if processor.fast_in_bfloat16() else "float32"
        yield Line("device", f"CPU with {os.cpu_count()} cores, {precision}; no GPU")
        if shutil.which("nvidia-smi"):
            todo = "an NVIDIA driver is here: pip install 'tensorflow[and-cuda]'"
            yield Line("GPU", "not seen by TensorFlow", todo)


def _memory() -> Line:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (ValueError, OSError, AttributeError):
        return Line("memory", "unknown here")
    limit = _container_limit()
    found = min(total, limit) if limit else total
    if found < _LEAST_MEMORY:
        return Line("memory", f"{found:.1f} GB", f"{_LEAST_MEMORY:.0f} GB are needed", True)
    return Line("memory", f"{found:.1f} GB")


def _container_limit() -> float | None:
    """Returns the memory of the control group in GB, None without a limit."""
    try:
        return int(Path("/sys/fs/cgroup/memory.max").read_text()) / 1e9
    except (OSError, ValueError):
        return None


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    return next(each for each in (folder, *folder.parents) if each.exists())


def _disk(name: str, folder: Path) -> Line:
    free = shutil.disk_usage(_existing(folder)).free / 1e9
    if free < _LEAST_DISK:
        return Line(name, f"{free:.1f} GB free at {folder}", f"make {_LEAST_DISK:.0f} GB free")
    return Line(name, f"{free:.0f} GB free at {folder}")


def _folder(name: str, folder: Path) -> Line:
    place = _existing(folder)
    if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
        return Line(name, str(folder))
    todo = f"{place} can't be written by user {os.getuid()}: name another one, or change its owner"
    return Line(name, str(folder), todo, True)


def _weights() -> Line:
    kept = sorted(file.name for file in (cache_dir() / "weights").glob("*.h5"))
    if kept:
        return Line("ImageNet weights", f"kept: {', '.join(kept)}")
    from components.pretrained.official_weights import unreachable_host

    if fault := unreachable_host():
        todo = "name a file with --set model.weights=FILE, or run once where the host answers"
        return Line("ImageNet weights", fault, todo)
    return Line("ImageNet weights", "the host answers; the first run downloads them")


def _server() -> Line:
    if binary := shutil.which(real_server.BINARY):
        return Line("TensorFlow Serving", binary)
    if real_server.is_here():
        return Line("TensorFlow Serving", f"Docker's image {real_server.IMAGE}")
    todo = "`serve` starts the development server instead"
    return Line("TensorFlow Serving", f"no {real_server.BINARY} on PATH, no image", todo)


def _store(root: Path, store: str | None) -> Line:
    place = store or str(root / "metadata.sqlite")
    if metadata.is_url(place):
        host, port = metadata_host(place)
        try:
            socket.create_connection((host, port), timeout=3).close()
        except OSError as error:
            todo = "start it, or name another one with --metadata"
            return Line("metadata store", f"{host}:{port} does not answer ({error})", todo, True)
        return Line("metadata store", f"{host}:{port} answers")
    if not Path(place).exists():
        return Line("metadata store", f"{place}: the first run makes it")
    with open(place, "rb") as file:
        whole = file.read(16) in (b"SQLite format 3\0", b"")
    if not whole:
        return Line(
            "metadata store", f"{place} is no SQLite file", "restore it from a backup", True
        )
    return Line("metadata store", place)


def metadata_host(url: str) -> tuple[str, int]:
    """Returns the host and the port of a metadata server's URL."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    default = {"mysql": 3306, "postgresql": 5432}.get(parts.scheme, 8080)
    return parts.hostname or "localhost", parts.port or default


def _pushed(folder: Path, named: bool) -> Iterator[Line]:
    line = _folder("push directory", folder)
    if line.in_the_way or not folder.is_dir():
        yield line
        return
    mode = folder.stat().st_mode
    readers = "everyone" if mode & 0o005 == 0o005 else "its owner and group"
    readers = readers if mode & 0o050 == 0o050 or mode & 0o005 else "its owner alone"
    todo = "" if readers == "everyone" else "a server of another user can't: chmod, or its group"
    yield Line("push directory", f"{folder}, read by {readers}", todo if named else "")


def _port(port: int) -> Line:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError as error:
            todo = "give `serve` another one with --port and --rest-port"
            return Line(f"port {port}", f"taken ({error.strerror})", todo)
    return Line(f"port {port}", "free")
