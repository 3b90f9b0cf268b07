"""`make cluster-setup`, with two made jars that a server on this machine has."""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checkout_tools import cluster

SERVICE = "META-INF/services/made.Service"


def jar_of(content: dict[str, str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as jar:
        for name, text in content.items():
            jar.writestr(name, text)
    return made.getvalue()


FILES = {
    "org/made/first/1.0/first-1.0.jar": jar_of(
        {
            "A.class": "first",
            SERVICE: "First",
            "META-INF/MANIFEST.MF": "",
            "META-INF/X.SF": "signed",
        }
    ),
    "org/made/second/2/second-2.jar": jar_of(
        {"A.class": "second", "B.class": "b", SERVICE: "Second\n", "module-info.class": "hides"}
    ),
}


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def engine(tmp_path: Path) -> cluster.Engine:
    return cluster.Engine("made", "org.made.Main", tmp_path / "list.txt")


@pytest.fixture
def served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: cluster.Engine
) -> Iterator[Path]:
    """The folder of a Maven repository that is served, and whose jars are the engine's."""
    folder, lines = tmp_path / "repository", ["# made"]
    for path, content in FILES.items():
        (folder / path).parent.mkdir(parents=True)
        (folder / path).write_bytes(content)
        group, name, version = path.rsplit("/", 3)[:3]
        digest = hashlib.sha256(content).hexdigest()
        lines.append(f"{group.replace('/', '.')}:{name}:{version} --hash=sha256:{digest}")
    engine.listed.write_text("\n".join(lines))
    handler = functools.partial(_Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv(cluster.MIRROR, f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(cluster, "ENGINES", (engine,))
    yield folder
    server.shutdown()
    server.server_close()


def test_all_jars_are_fetched_and_the_job_servers_holds_their_content(
    served: Path, engine: cluster.Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cluster.main() == 0
    for path, content in FILES.items():
        assert (engine.folder() / Path(path).name).read_bytes() == content
    with zipfile.ZipFile(engine.job_server()) as jar:
        held = sorted(jar.namelist())
        assert held == ["A.class", "B.class", "META-INF/MANIFEST.MF", SERVICE]
        assert jar.read("A.class") == b"first"
        assert jar.read(SERVICE).split() == [b"First", b"Second"]
        text = jar.read("META-INF/MANIFEST.MF").decode()
    assert max(map(len, text.split("\r\n"))) <= 72
    entries = dict(line.split(": ") for line in text.replace("\r\n ", "").split("\r\n") if line)
    assert entries["Main-Class"] == engine.main
    assert entries["Add-Opens"].split() == cluster.OPENED
    assert cluster.main() == 0
    assert "is up to date" in capsys.readouterr().out


def test_a_jar_that_is_another_one_is_refused_and_not_kept(
    served: Path, engine: cluster.Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    served.joinpath("org/made/second/2/second-2.jar").write_bytes(b"forged")
    assert cluster.main() == 1
    assert "is another file" in capsys.readouterr().err
    assert not (engine.folder() / "second-2.jar").exists()
    assert not engine.job_server().exists()


def test_a_jar_that_is_not_there_is_named_with_the_way_out(
    served: Path, engine: cluster.Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    served.joinpath("org/made/first/1.0/first-1.0.jar").unlink()
    assert cluster.main() == 1
    told = capsys.readouterr().err
    assert "first-1.0.jar can't be fetched (HTTP Error 404" in told and cluster.MIRROR in told
    served.joinpath("org/made/first/1.0/first-1.0.jar").write_bytes(
        FILES["org/made/first/1.0/first-1.0.jar"]
    )
    assert cluster.main() == 0  # the second attempt fetches what is missing


def test_what_one_engine_has_is_not_fetched_for_another(
    served: Path, engine: cluster.Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cluster.build(engine)
    second = engine._replace(name="second", main="org.made.Second")
    monkeypatch.setenv(cluster.MIRROR, "http://127.0.0.1:9/")  # nothing listens
    cluster.build(second)
    assert second.folder() != engine.folder()
    for path, content in FILES.items():
        assert (second.folder() / Path(path).name).read_bytes() == content
    with zipfile.ZipFile(second.job_server()) as jar:
        assert b"Main-Class: org.made.Second\r\n" in jar.read("META-INF/MANIFEST.MF")


def test_an_engine_that_cannot_be_had_keeps_no_other_one_back(
    served: Path,
    engine: cluster.Engine,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lacking = cluster.Engine("lacking", "org.made.Main", tmp_path / "lacking.txt")
    lacking.listed.write_text(f"org.made:third:3 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setattr(cluster, "ENGINES", (lacking, engine))
    assert cluster.main() == 1
    told = capsys.readouterr().err
    assert "lacking: " in told and "third-3.jar can't be fetched" in told
    assert engine.job_server().exists() and not lacking.job_server().exists()


def test_an_answer_that_breaks_off_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(100, b"half"), (5, b"whole")]

    class Breaking(_Quiet):
        def do_GET(self) -> None:
            length, content = answers.pop(0)
            self.send_response(200)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(content)

    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with http.server.HTTPServer(("127.0.0.1", 0), Breaking) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert cluster.read(f"http://127.0.0.1:{server.server_port}/a.jar") == b"whole"
        answers.extend([(100, b"half")] * 3)
        with pytest.raises(cluster.Unreachable, match="can't be fetched"):
            cluster.read(f"http://127.0.0.1:{server.server_port}/a.jar")
        server.shutdown()


@pytest.mark.parametrize("engine", cluster.ENGINES, ids=lambda engine: engine.name)
def test_a_list_names_each_jar_once_with_its_digest(engine: cluster.Engine) -> None:
    jars = engine.jars()
    assert len({jar.file for jar in jars}) == len(jars) > 150
    assert {len(jar.sha256) for jar in jars} == {64}
    assert "org.apache.beam" in {jar.group for jar in jars}
    main = engine.main.rpartition(".")[0].rpartition(".")[2]
    assert any(jar.name.startswith(f"beam-runners-{main}") for jar in jars)
