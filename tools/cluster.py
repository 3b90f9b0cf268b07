"""Fetches Flink, Spark and Beam's job server for each into the cache folder: `make cluster-setup`.

Needs any Python 3.6 or newer and nothing installed; Java 17 or newer runs what it fetches. Every
jar is held against its SHA-256 in `constraints/flink-jars.txt` and `constraints/spark-jars.txt`.
They come from Maven Central, or from the mirror that MAVEN_REPOSITORY_URL names. Run again, it
fetches what is missing.

Of an engine's jars it makes one with all of their content, whose manifest opens to it what Java 17
keeps closed: `flink-job-server.jar`, which `--flink_job_server_jar` takes, and
`spark-job-server.jar` for `--spark_job_server_jar`. Beam's job server sends the files that it was
started from to the cluster with every job: to Flink one takes 1 s, 162 took 18 s.
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
MIRROR = "MAVEN_REPOSITORY_URL"
CENTRAL = "https://repo1.maven.org/maven2"
OPENED = [  # of Flink's own configuration for Java 17 (env.java.opts.all), and of Spark's
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
    "java.base/sun.nio.cs",
    "java.base/sun.security.action",
    "java.base/sun.util.calendar",
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


class Engine(NamedTuple):
    """An engine that runs Beam's pipelines, and Beam's job server for it."""

    name: str
    main: str
    listed: Path

    def jars(self) -> List[Jar]:
        """Returns the jars of its list."""
        found = []
        for line in self.listed.read_text().splitlines():
            if not line.startswith("#"):
                what, digest = line.split()
                group, name, version = what.split(":")
                found.append(Jar(group, name, version, digest.split(":")[1]))
        return found

    def folder(self) -> Path:
        """Returns the folder of exactly these jars: another list has another one."""
        digest = hashlib.sha256(self.listed.read_bytes()).hexdigest()
        return folders() / f"{self.name}-{digest[:12]}"

    def job_server(self) -> Path:
        """Returns the path of the job server's jar, which is there once all others are."""
        return self.folder() / f"{self.name}-job-server.jar"


FLINK = Engine(
    "flink",
    "org.apache.beam.runners.flink.FlinkJobServerDriver",
    ROOT / "constraints" / "flink-jars.txt",
)
SPARK = Engine(
    "spark",
    "org.apache.beam.runners.spark.SparkJobServerDriver",
    ROOT / "constraints" / "spark-jars.txt",
)
ENGINES = (FLINK, SPARK)


def folders() -> Path:
    """Returns the folder in which each engine has its own."""
    return cache_dir() / "cluster"


class Unreachable(SetupError):
    """The repository does not answer, or does not have a jar."""


def build(engine: Engine) -> None:
    """Fetches what is missing of an engine and writes its job server's jar.

    Raises:
      Unreachable: a jar can't be fetched.
      SetupError: one is not that of the list.
    """
    folder, made = engine.folder(), engine.job_server()
    if made.exists():
        print(f"setup: {folder} is up to date")
        return
    folder.mkdir(parents=True, exist_ok=True)
    jars = engine.jars()
    missing = [jar for jar in jars if not (folder / jar.file).exists()]
    print(f"setup: fetching {len(missing)} jars into {folder}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(functools.partial(fetch, to=folder), missing):
            pass
    aside = folder / (made.name + ".part")
    join([folder / jar.file for jar in jars], aside, engine.main)
    os.replace(str(aside), str(made))
    print(f"setup: {made} is ready")


def join(jars: List[Path], joined: Path, main_class: str) -> None:
    """Writes one jar with the content of many; what several have is the first one's.

    Their lists of services (`META-INF/services`) are joined. Signatures hold no more, and a
    description of a module would hide all other packages.
    """
    services = {}  # type: Dict[str, List[bytes]]
    entries = {"Main-Class": main_class, "Multi-Release": "true"}
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
    """Fetches a jar into a folder, where it appears whole; another engine's is copied.

    Raises:
      SetupError: it can't be fetched, or is not the one of the list.
    """
    address = os.environ.get(MIRROR, CENTRAL).rstrip("/") + "/" + jar.path
    content = kept(jar) or read(address)
    found = hashlib.sha256(content).hexdigest()
    if found != jar.sha256:
        raise SetupError(
            f"{address} has the SHA-256 {found}, {jar.sha256} is in the list of constraints/: what "
            "is served there is another file."
        )
    with tempfile.NamedTemporaryFile(dir=str(to), delete=False) as aside:
        aside.write(content)
    os.replace(aside.name, str(to / jar.file))


def kept(jar: Jar) -> bytes:
    """Returns a jar's content where an engine's folder has it; else nothing."""
    for path in folders().glob(f"*/{jar.file}"):
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() == jar.sha256:
            return content
    return b""


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


def build_all() -> None:
    """Builds every engine, also where another one can't be had.

    Raises:
      SetupError: one can't be had; the message has the reason of each.
    """
    failed = []
    for engine in ENGINES:
        try:
            build(engine)
        except SetupError as error:
            failed.append(f"{engine.name}: {error}")
    if failed:
        raise SetupError("\n".join(failed))


def main() -> int:
    """Fetches all; returns 0 when done, 1 where something can't be had."""
    return exit_code(build_all)


if __name__ == "__main__":
    sys.exit(main())
