"""Fetches Flink and Beam's job server for it into the cache folder: `python3 tools/cluster.py`.

Needs any Python 3.6 or newer and nothing installed; Java 17 or newer runs what it fetches. Every
jar is held against its SHA-256 in `constraints/flink-jars.txt`. They come from Maven Central, or
from the mirror that MAVEN_REPOSITORY_URL names. Run again, it fetches what is missing.

Of the jars it makes `flink-job-server.jar`, what `--flink_job_server_jar` takes: one jar with all
of their content, whose manifest opens to it what Java 17 keeps closed. Beam's job server sends the
files that it was started from to the cluster with every job: one takes 1 s, 162 took 18 s.
"""

import concurrent.futures
import functools
import hashlib
import http.client
import os
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import Dict, List, NamedTuple

from interpreters import SetupError, cache_dir, exit_code

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "constraints" / "flink-jars.txt"
MIRROR = "MAVEN_REPOSITORY_URL"
CENTRAL = "https://repo1.maven.org/maven2"
JOB_SERVER = "flink-job-server.jar"
MAIN = "org.apache.beam.runners.flink.FlinkJobServerDriver"
OPENED = [  # of Flink's own configuration for Java 17 (env.java.opts.all)
    "java.base/java.lang",
    "java.base/java.lang.invoke",
    "java.base/java.lang.reflect",
    "java.base/java.io",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.text",
    "java.base/java.time",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/java.util.concurrent.locks",
    "java.base/sun.net.util",
    "java.base/sun.nio.ch",
]
_LEFT_OUT = (".SF", ".RSA", ".DSA", "module-info.class", "/", "INDEX.LIST")
_TRIES = 3
_AT_ONCE = 8


class Jar(NamedTuple):
    """A jar of the list."""

    group: str
    name: str
    version: str
    sha256: str

    @property
    def file(self) -> str:
        """Its file's name."""
        return f"{self.name}-{self.version}.jar"

    @property
    def path(self) -> str:
        """Its place in a Maven repository."""
        return "/".join([self.group.replace(".", "/"), self.name, self.version, self.file])


def listed() -> List[Jar]:
    """Returns the jars of the list."""
    found = []
    for line in LIST.read_text().splitlines():
        if not line.startswith("#"):
            what, digest = line.split()
            group, name, version = what.split(":")
            found.append(Jar(group, name, version, digest.split(":")[1]))
    return found


def folder() -> Path:
    """Returns the folder of exactly these jars: another list has another one."""
    return cache_dir() / "cluster" / ("flink-" + hashlib.sha256(LIST.read_bytes()).hexdigest()[:12])


def job_server() -> Path:
    """Returns the path of the job server's jar, which is there once all others are."""
    return folder() / JOB_SERVER


class Unreachable(SetupError):
    """The repository does not answer, or does not have a jar."""


def build() -> None:
    """Fetches what is missing and writes the job server's jar.

    Raises:
      Unreachable: a jar can't be fetched.
      SetupError: one is not that of the list.
    """
    if job_server().exists():
        print(f"setup: {folder()} is up to date")
        return
    folder().mkdir(parents=True, exist_ok=True)
    jars = listed()
    missing = [jar for jar in jars if not (folder() / jar.file).exists()]
    print(f"setup: fetching {len(missing)} jars into {folder()}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(functools.partial(fetch, to=folder()), missing):
            pass
    aside = folder() / (JOB_SERVER + ".part")
    join([folder() / jar.file for jar in jars], aside)
    os.replace(str(aside), str(job_server()))
    print(f"setup: {job_server()} is ready")


def join(jars: List[Path], joined: Path) -> None:
    """Writes one jar with the content of many; what several have is the first one's.

    Their lists of services (`META-INF/services`) are joined. Signatures hold no more, and a
    description of a module would hide all other packages.
    """
    services = {}  # type: Dict[str, List[bytes]]
    entries = {"Main-Class": MAIN, "Multi-Release": "true"}
    entries.update({key: " ".join(OPENED) for key in ("Add-Opens", "Add-Exports")})
    with zipfile.ZipFile(str(joined), "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("META-INF/MANIFEST.MF", manifest(entries))
        seen = {"META-INF/MANIFEST.MF"}
        for jar in jars:
            with zipfile.ZipFile(str(jar)) as content:
                for name in content.namelist():
                    if name.startswith("META-INF/services/") and not name.endswith("/"):
                        services.setdefault(name, []).append(content.read(name))
                    elif name not in seen and not name.endswith(_LEFT_OUT):
                        seen.add(name)
                        made.writestr(name, content.read(name))
        for name, lists in services.items():
            made.writestr(name, b"\n".join(lists))


def fetch(jar: Jar, to: Path) -> None:
    """Fetches a jar into a folder, where it appears whole.

    Raises:
      SetupError: it can't be fetched, or is not the one of the list.
    """
    address = os.environ.get(MIRROR, CENTRAL).rstrip("/") + "/" + jar.path
    content = read(address)
    found = hashlib.sha256(content).hexdigest()
    if found != jar.sha256:
        raise SetupError(
            f"{address} has the SHA-256 {found}, {jar.sha256} is in {LIST}: what is served there "
            "is another file."
        )
    with tempfile.NamedTemporaryFile(dir=str(to), delete=False) as aside:
        aside.write(content)
    os.replace(aside.name, str(to / jar.file))


def read(address: str) -> bytes:
    """Returns what is at an address; a connection that breaks is tried again.

    Raises:
      Unreachable: it does not answer, or refuses.
    """
    for attempt in range(1, _TRIES + 1):
        try:
            with urllib.request.urlopen(address, timeout=60) as response:
                content = response.read()  # type: bytes
                break
        except (OSError, http.client.HTTPException) as error:  # this one where an answer breaks off
            refused = isinstance(error, urllib.error.HTTPError) and error.code < 500
            if refused or attempt == _TRIES:
                raise Unreachable(
                    f"{address} can't be fetched ({error}). {MIRROR} names another repository."
                ) from error
            time.sleep(2)
    return content


def manifest(entries: Dict[str, str]) -> str:
    """Returns a jar's manifest: lines of at most 72 bytes, continued after a space."""
    lines = ["Manifest-Version: 1.0"]
    for key, value in entries.items():
        line = f"{key}: {value}"
        lines.append(line[:70])
        lines += [" " + line[start : start + 69] for start in range(70, len(line), 69)]
    return "\r\n".join(lines + ["", ""])


def main() -> int:
    """Fetches all; returns 0 when done, 1 where something can't be had."""
    return exit_code(build)


if __name__ == "__main__":
    sys.exit(main())
