"""Plays `tensorflow_model_server`: its flags, its log, and no open port before a model is loaded.

`put_on_path` makes a program of that name of it. The environment says how it behaves:

    PLAYED_LOG      a file that gets its flags, a line each time
    PLAYED_DELAY    seconds before it loads
    PLAYED_FAULT    why it can't load a model that another can
    PLAYED_RETRIES  anything: it goes on after a failed load, as with `--max_num_load_retries` unset
"""

from __future__ import annotations

import os
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[2]
PASSED_ON = {
    "model_base_path": "--model-dir",
    "model_name": "--name",
    "model_config_file": "--model-config-file",
    "model_config_file_poll_wait_seconds": "--model-config-file-poll-wait-seconds",
    "port": "--port",
    "rest_api_port": "--rest-port",
    "batching_parameters_file": "--batching-parameters-file",
}
OTHERS = {
    "allow_version_labels_for_unavailable_models",
    "enable_batching",
    "grpc_max_threads",
    "max_num_load_retries",
}
LONGEST_SECONDS = 600  # an abandoned one ends by itself


def put_on_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Makes it the one `tensorflow_model_server`; returns the file that gets its flags."""
    (folder / "bin").mkdir(parents=True)
    program = folder / "bin" / "tensorflow_model_server"
    run = shlex.join([sys.executable, "-u", "-m", "tests.serving.stand_in"])
    program.write_text(f'#!/bin/sh\nexec {run} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PLAYED_LOG", str(folder / "flags"))
    return folder / "flags"


def main(words: list[str]) -> int:
    flags = dict(word.removeprefix("--").split("=", 1) for word in words)
    unknown = flags.keys() - PASSED_ON.keys() - OTHERS
    if unknown:
        print(f"unknown argument: --{min(unknown)}")
        return 255
    with open(os.environ["PLAYED_LOG"], "a") as log:
        log.write(" ".join(words) + "\n")
    time.sleep(float(os.environ.get("PLAYED_DELAY", "0")))
    if "model_base_path" in flags:
        fault = _load(flags["model_name"], Path(flags["model_base_path"]))
        if fault is not None:
            return _refuse(fault, flags)
    passed = [word for flag in flags.keys() & PASSED_ON for word in (PASSED_ON[flag], flags[flag])]
    from serving.local_server.__main__ import main as serve_locally

    sys.argv[1:] = passed
    return serve_locally()


def _load(name: str, base_path: Path) -> str | None:
    """Waits for a version and loads it; returns why it can't be loaded."""
    end = time.monotonic() + LONGEST_SECONDS
    while not (versions := [path for path in base_path.iterdir() if path.name.isdecimal()]):
        _log(
            "W tensorflow_serving/sources/storage_path/file_system_storage_path_source.cc:257]"
            f" No versions of servable {name} found under base path {base_path}."
        )
        if time.monotonic() > end:
            sys.exit("Nobody ended this stand-in")
        time.sleep(0.2)
    from serving.local_server.servable import Servable  # imports TensorFlow

    newest = max(versions, key=lambda path: int(path.name))
    try:
        if "PLAYED_FAULT" in os.environ:
            raise RuntimeError(os.environ["PLAYED_FAULT"])
        Servable(name, int(newest.name), newest)
    except Exception as error:
        _log(
            "E tensorflow_serving/util/retrier.cc:39] Loading servable: {name: "
            f"{name} version: {newest.name}}} failed: {error}"
        )
        return str(error)
    return None


def _log(line: str) -> None:
    """TensorFlow's log, as loud as its environment has it."""
    if "IWE".index(line[0]) >= int(os.environ.get("TF_CPP_MIN_LOG_LEVEL", "0")):
        print(line, file=sys.stderr)


def _refuse(fault: str, flags: dict[str, str]) -> int:
    if flags.get("max_num_load_retries") != "0" or "PLAYED_RETRIES" in os.environ:
        time.sleep(LONGEST_SECONDS)
    print(
        "Failed to start server. Error: UNKNOWN: 1 servable(s) did not become available:"
        f" {{{{... due to error: {fault}}}, }}"
    )
    return 255


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
