"""TensorFlow Serving itself, where this machine has it: the binary, or its container's image."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path

from serving.options import ServeOptions

BINARY = "tensorflow_model_server"
IMAGE = "tensorflow/serving"
_THREADS = 64
"""The binary's default, 4 for each core, refuses most requests of 16 clients on two cores."""
_DOCKER_SECONDS = 10.0
_INSIDE = Path("/config")


def is_here() -> bool:
    """Checks whether this machine can start TensorFlow Serving itself."""
    return bool(shutil.which(BINARY)) or _has_image()


def command(options: ServeOptions, container: str | None = None) -> list[str] | None:
    """Returns the command that serves `options` with TensorFlow Serving; None without that.

    The binary on PATH goes first; then an image that Docker has already, for it is never pulled
    here. The image can serve a model directory only: a model configuration file names paths that
    are not mounted.

    Args:
        options: what to serve. Port 0 switches one off, as the binary has it.
        container: a name for the container.
    """
    if shutil.which(BINARY):
        return [BINARY, f"--port={options.port}", *_flags(options, {})]
    if options.model_dir is not None and _has_image():
        name = ["--name", container] if container else []
        return ["docker", "run", "--rm", "--init", *name, *_container(options)]
    return None


def remove(container: str) -> None:
    """Ends a container whose `docker run` was killed, which leaves it running."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        _docker("rm", "--force", container)


def _container(options: ServeOptions) -> list[str]:
    """Returns the arguments of `docker run`: ports, mounted folders and files, the image."""
    assert options.model_dir is not None
    inside = Path("/models", options.name)
    shown = {options.model_dir.absolute(): inside}
    for file in (options.batching_parameters_file, options.ssl_config_file):
        if file is not None:
            shown[file.absolute()] = _INSIDE / file.name
    arguments = []
    for ours, theirs in ((options.port, 8500), (options.rest_port, 8501)):
        arguments += ["--publish", f"{options.host}:{ours}:{theirs}"] if ours else []
    for path, target in shown.items():
        arguments += ["--volume", f"{path}:{target}:ro"]
    in_container = ServeOptions(
        options.model_dir,
        options.name,
        rest_port=8501 if options.rest_port else 0,
        batching_parameters_file=options.batching_parameters_file,
        ssl_config_file=options.ssl_config_file,
    )
    return [*arguments, "--entrypoint", BINARY, IMAGE, "--port=8500", *_flags(in_container, shown)]


def _flags(options: ServeOptions, shown: dict[Path, Path]) -> list[str]:
    """The binary's flags but the port; `shown` are the paths that it finds elsewhere."""

    def path(ours: Path) -> Path:
        return shown.get(ours.absolute(), ours.absolute())

    arguments = [f"--rest_api_port={options.rest_port}", f"--grpc_max_threads={_THREADS}"]
    if options.model_config_file is not None:
        arguments += [
            f"--model_config_file={path(options.model_config_file)}",
            "--allow_version_labels_for_unavailable_models=true",
            f"--model_config_file_poll_wait_seconds={options.model_config_file_poll_wait_seconds}",
        ]
    elif options.model_dir is not None:
        arguments += [
            f"--model_name={options.name}",
            f"--model_base_path={path(options.model_dir)}",
        ]
    if options.batching_parameters_file is not None:
        file = path(options.batching_parameters_file)
        arguments += ["--enable_batching=true", f"--batching_parameters_file={file}"]
    if options.ssl_config_file is not None:
        arguments += [f"--ssl_config_file={path(options.ssl_config_file)}"]
    return arguments


def _has_image() -> bool:
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        return _docker("image", "inspect", IMAGE) == 0
    return False


def _docker(*arguments: str) -> int:
    return subprocess.run(
        ["docker", *arguments], capture_output=True, timeout=_DOCKER_SECONDS
    ).returncode
