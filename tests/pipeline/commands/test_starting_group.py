from __future__ import annotations

import json
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from components.pretrained import official_weights
from pipeline.commands import doctor
from tests.pipeline.conftest import Say


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, and a host of weights that does not answer."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(official_weights, "_unreachable", lambda url: f"{url} can't be reached")
    return tmp_path / "cache" / "transfer-pipeline"


def asked(say: Say, root: Path, *more: str) -> tuple[int, dict[str, dict[str, Any]]]:
    code, out, _ = say("doctor", "--root", root, "--no-devices", "--json", *more)
    document = json.loads(out)
    assert document["ready"] == (code == 0)
    return code, {line["name"]: line for line in document["lines"]}


def test_a_line_each_says_fine_or_what_to_do(say: Say, tmp_path: Path, cache: Path) -> None:
    code, lines = asked(say, tmp_path)
    assert code == 0
    assert {"Python", "TFX", "TensorFlow", "memory", "cache folder"} <= lines.keys()
    assert "model.weights=FILE" in lines["ImageNet weights"]["todo"]
    (cache / "weights").mkdir(parents=True)
    (cache / "weights" / "a.weights.h5").touch()
    assert not asked(say, tmp_path)[1]["ImageNet weights"]["todo"]
    code, out, _ = say("doctor", "--root", tmp_path, "--no-devices")
    assert (code, out.splitlines()[-1]) == (0, "Next: transfer-pipeline init DIR")


def test_what_is_in_the_way_ends_with_1(say: Say, tmp_path: Path) -> None:
    (tmp_path / "metadata.sqlite").write_text("no such thing, at all")
    code, lines = asked(say, tmp_path)
    assert (code, lines["metadata store"]["in_the_way"]) == (1, True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"mysql://me@127.0.0.1:{free.getsockname()[1]}/db"
        code, lines = asked(say, tmp_path, "--metadata", closed)
    assert code == 1 and "does not answer" in lines["metadata store"]["found"]


def test_a_taken_port_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        request = doctor.Request(root=tmp_path, ports=(port,), devices=False)
        assert doctor.doctor(request)
    assert f"note  port {port}" in capsys.readouterr().out


def test_a_push_directory_that_others_can_not_read_is_told(say: Say, tmp_path: Path) -> None:
    served = tmp_path / "served"
    served.mkdir(mode=0o700)
    _, lines = asked(say, tmp_path, "--model-dir", str(served))
    assert "its owner alone" in lines["push directory"]["found"]
    served.chmod(0o755)
    _, lines = asked(say, tmp_path, "--model-dir", str(served))
    assert "everyone" in lines["push directory"]["found"] and not lines["push directory"]["todo"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_takes_its_completion(say: Say, tmp_path: Path, shell: str) -> None:
    code, script, _ = say("completion", shell)
    assert code == 0
    assert all(word in script for word in ("run-node", "lr-find", "init"))
    if (program := shutil.which(shell)) is None:
        return
    file = tmp_path / "script"
    file.write_text(script)
    subprocess.run([program, "-n", file], check=True)


def test_bash_completes_commands_options_and_files(say: Say, tmp_path: Path) -> None:
    file = tmp_path / "script"
    file.write_text(say("completion", "bash")[1])

    def completed(*words: str) -> list[str]:
        line = f"source {file}; COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1};"
        line += '_transfer_pipeline; printf "%s\\n" "${COMPREPLY[@]}"'
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
        return done.stdout.split()

    assert completed("transfer-pipeline", "ver") == ["versions"]
    assert completed("transfer-pipeline", "run", "--pre") == ["--preset"]
    assert completed("transfer-pipeline", "run", "pict") == []  # readline completes files
