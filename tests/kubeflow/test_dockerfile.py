"""There is no daemon to build images here: what the Dockerfile says is linted and held against what
it names, and its words that install the project are run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from setuptools import find_packages

from pipeline.targets import vertex as vertex_target
from tests.checkout_tools import ROOT, interpreters, lines, own_lock

DOCKERFILE = ROOT / "kubeflow" / "Dockerfile"
LOCK = lines.NEWEST.lock(lines.NEWEST.pythons[0])


def stages() -> dict[str, list[str]]:
    """Returns each stage's instructions by its name, continued lines joined, comments left out."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    found: dict[str, list[str]] = {}
    for line in filter(None, text.splitlines()):
        if line.startswith("FROM "):
            name = line.split()[-1]
            found[name] = []
        found[name].append(" ".join(line.split()))
    return found


def all_lines() -> str:
    return "\n".join(line for lines in stages().values() for line in lines)


def environment_of(stage: str) -> dict[str, str]:
    """Returns the variables that ENV sets in a stage; those that it refers to are resolved."""
    given: dict[str, str] = {}
    for line in stages()[stage]:
        if line.startswith("ENV "):
            given |= dict(word.split("=", 1) for word in line.removeprefix("ENV ").split())
    return {key: value.replace("$NVIDIA", given.get("NVIDIA", "")) for key, value in given.items()}


def cuda_name(requirement: str) -> str:
    return requirement.removeprefix("nvidia-").split("-cu12")[0]


def test_hadolint_has_no_complaint() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([str(hadolint), str(DOCKERFILE)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_cpu_is_the_default_and_both_run_without_rights() -> None:
    found = stages()
    assert list(found)[-1] == "cpu"
    for name in ("gpu", "cpu"):
        assert found[name][0] == f"FROM runtime AS {name}"
        assert not any(line.startswith("USER") for line in found[name])
    users = [line for line in found["runtime"] if line.startswith("USER")]
    assert users == ["USER 1000"]  # a number: Kubernetes' runAsNonRoot can't check names
    assert any(line.startswith("HEALTHCHECK") for line in found["runtime"])


def test_the_project_is_the_last_and_only_layer_that_a_new_version_changes() -> None:
    found = stages()
    for name in ("gpu", "cpu"):
        assert found[name][-1] == "COPY --from=project /opt/project /opt/project"
    before = [line for name in ("tfx", "cuda", "runtime") for line in found[name]]
    sources = {word for line in before if line.startswith("COPY") for word in line.split()[1:-1]}
    assert sources == {"setup.py", "pyproject.toml", "--from=tfx", "/opt/pipeline"}


def test_every_package_of_the_project_is_copied_and_reaches_the_build() -> None:
    include = ["pipeline*", "components*", "serving*"]  # as setup.py has them
    assert f"include={include}".replace("'", '"') in (ROOT / "setup.py").read_text()
    packages = {name for name in find_packages(str(ROOT), include=include) if "." not in name}
    copied = set(re.findall(r"^COPY (\w+) \1$", all_lines(), re.MULTILINE)) - {"constraints"}
    assert copied == packages
    passed = (ROOT / "kubeflow" / "Dockerfile.dockerignore").read_text().splitlines()
    assert passed[0] == "*"
    for name in {*packages, "setup.py", "pyproject.toml", "constraints/*.txt"}:
        assert f"!{name}" in passed


def test_all_that_is_installed_is_held_against_a_lock() -> None:
    installs = re.findall(r"uv pip install .*?(?=&&|$)", all_lines(), re.MULTILINE)
    assert len(installs) == 3
    for words in map(str.split, installs):
        locks = [word for word in words if word.startswith("constraints/")]
        assert all((ROOT / lock).is_file() for lock in locks)
        if "setup.py" in words:  # uv checks the hashes of constraints, too
            assert words[words.index("--constraints") + 1] == f"constraints/{LOCK}.txt"
        elif words[-1] != ".":
            assert "--require-hashes" in words
        else:
            assert "--no-deps" in words


def test_pythons_and_uv_are_those_of_the_checkouts_environments() -> None:
    bases = set(re.findall(r"^FROM python:(\d+\.\d+)-slim-\w+ ", all_lines(), re.MULTILINE))
    assert bases == {lines.NEWEST.pythons[0]}
    assert f"UV_PYTHON=/usr/local/bin/python{lines.NEWEST.pythons[0]} " in all_lines()
    [version] = re.findall(r"uv==(\S+)", all_lines())
    assert version == interpreters.UV_VERSION
    assert vertex_target._PYTHON.removesuffix("/bin/python") in all_lines()


def test_the_python_that_has_kfp_comes_first_and_the_command_is_found() -> None:
    assert "kubeflow" in lines.NEWEST.extras
    assert "--extra kubeflow" in all_lines()
    first, second, _ = environment_of("runtime")["PATH"].split(":")
    assert (first, second) == ("/opt/pipeline/bin", "/opt/project/bin")


def test_cuda_is_what_tensorflow_asks_for_and_all_of_it_is_found() -> None:
    asked = [
        requirement.split(";")[0].replace(" ", "")
        for requirement in metadata.requires("tensorflow") or []
        if requirement.startswith("nvidia-")
    ]
    listed = (ROOT / "constraints" / "cuda.in").read_text().splitlines()[1:]
    if own_lock().stem == LOCK:  # the bounds are that line's, the packages every line's
        assert listed == asked
    names = [cuda_name(line) for line in listed]
    assert names == [cuda_name(line) for line in asked]
    folders = {name.replace("-", "_") for name in names} - {"cuda_nvcc"}  # a program
    given = environment_of("gpu")
    assert set(given["LD_LIBRARY_PATH"].split(":")) == {
        f"/opt/cuda/nvidia/{folder}/lib" for folder in folders
    }
    assert given["PATH"].startswith("/opt/cuda/nvidia/cuda_nvcc/bin:")


def test_the_projects_layer_has_a_command_that_works(tmp_path: Path) -> None:
    """The stage's own words, with this environment in place of /opt/pipeline."""
    source = tmp_path / "src"
    for line in (*stages()["tfx"], *stages()["project"]):
        for name in line.split()[1:-1] if line.startswith("COPY ") else []:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            source.mkdir(exist_ok=True)
            copy(ROOT / name, source / name)
    [install] = [line.removeprefix("RUN ") for line in stages()["project"] if "RUN" in line]
    words = install.replace("/opt/pipeline/bin/python", sys.executable).split()
    words = [interpreters.find_uv(), *(word.replace("/opt", str(tmp_path)) for word in words[1:])]
    subprocess.run(words, cwd=source, check=True, capture_output=True)
    command = tmp_path / "project" / "bin" / "transfer-pipeline"
    done = subprocess.run(
        [str(command), "--help"],
        env={"PYTHONPATH": str(tmp_path / "project"), "PATH": "/usr/bin:/bin", "HOME": "/nowhere"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "gated, served image classifier" in done.stdout
    assert list((tmp_path / "project").glob("pipeline/presets/*.yaml"))
