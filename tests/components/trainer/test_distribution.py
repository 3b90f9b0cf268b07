"""One device or several give the same. Each case has a process of its own: devices are fixed."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.backbones import BACKBONES
from components.errors import ConfigError
from components.settings.training import Training
from components.step import progress
from components.trainer.distribution import check_devices
from tests.components.trainer.made_training import FROZEN, UNFROZEN, Epochs, Killed
from tests.components.trainer.trained_apart import TINY, train
from tests.explains import refused

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = {
    "batch_size": 10,  # 24 pictures: the last batch of an epoch is another one
    "class_weights": "balanced",
    "frozen": {**FROZEN, "clip_norm": 0.05},
    "unfrozen": {**UNFROZEN, "learning_rate": 1e-3, "ema": 0.5},
}
FIGURES = ("val_loss", "val_accuracy", "learning_rate")


def order(folder: Path, graph: str, split: str, **words: Any) -> dict[str, Any]:
    return {"folder": str(folder), "graph": graph, "split": split, "training": SETTINGS, **words}


def start(words: dict[str, Any], cluster: dict[str, Any] | None = None) -> subprocess.Popen[str]:
    """Trains in a process of its own; leaves figures and weights in the folder."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
    if cluster:
        environment["TF_CONFIG"] = json.dumps(cluster)
    return subprocess.Popen(
        [sys.executable, "-m", "tests.components.trainer.trained_apart", json.dumps(words)],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def end_well(processes: Sequence[subprocess.Popen[str]]) -> None:
    outputs = [process.communicate(timeout=800)[0] for process in processes]
    for process, output in zip(processes, outputs, strict=True):
        assert process.returncode == 0, output[-3000:]


def figures(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "figures.json").read_text())


def weights(folder: Path) -> list[np.ndarray]:
    with np.load(folder / "weights.npz") as arrays:
        return [arrays[name] for name in arrays.files]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, transform_graph: str, split: str) -> Path:
    """Trains on one device; `begun` holds the state left by a kill after an epoch."""
    folder = tmp_path_factory.mktemp("alone")
    kill = Epochs(kill_after=1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(BACKBONES, "mobilenet", TINY)
        train(order(folder, transform_graph, split))
        progress.LOGGER.addHandler(kill)
        with pytest.raises(Killed):
            train(order(folder / "begun", transform_graph, split))
    progress.LOGGER.removeHandler(kill)
    return folder


def assert_same(found: Path, expected: Path) -> None:
    """Sums in another order, over two epochs and three."""
    rows, others = figures(found)["epochs"], figures(expected)["epochs"]
    for figure in FIGURES:
        values, wanted = ([row[figure] for row in some] for some in (rows, others))
        np.testing.assert_allclose(values, wanted, rtol=1e-3, atol=1e-6, err_msg=figure)
    for array, wanted in zip(weights(found), weights(expected), strict=True):
        np.testing.assert_allclose(array, wanted, rtol=1e-3, atol=1e-4)
    assert figures(found)["exported"] == figures(expected)["exported"]


@pytest.mark.slow
def test_two_devices_end_as_one_would_what_one_began(
    alone: Path, transform_graph: str, split: str, tmp_path: Path
) -> None:
    shutil.copytree(alone / "begun" / "work", tmp_path / "work")
    words = order(tmp_path, transform_graph, split, distribution="mirrored", cpus=2)
    end_well([start(words)])
    assert_same(tmp_path, alone)
    [one], both = figures(alone)["drawn"], figures(tmp_path)["drawn"]
    assert both[0] == one != both[1]


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("localhost", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.mark.slow
def test_two_workers_end_as_one_device_would_and_only_the_chief_writes(
    alone: Path, transform_graph: str, split: str, tmp_path: Path
) -> None:
    shutil.copytree(alone / "begun" / "work", tmp_path / "0" / "work")
    cluster = {"worker": [f"localhost:{port}" for port in free_ports(2)]}
    folders = [tmp_path / "0", tmp_path / "1"]
    workers = []
    for index, folder in enumerate(folders):
        task = {"type": "worker", "index": index}
        words = order(
            *(folder, transform_graph, split), distribution="multi_worker", chief=str(folders[0])
        )
        workers.append(start(words, {"cluster": cluster, "task": task}))
    end_well(workers)
    assert_same(folders[0], alone)
    assert list(folders[1].iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "found", "allowed", "next"),
    [
        (
            {"distribution": "mirrored"},
            r"there are 1 \(CPU:0\)",
            "mirrored needs 2 devices",
            "Set training.distribution=none",
        ),
        (
            {"distribution": "mirrored", "devices": 4},
            "there are 1",
            "mirrored needs 4 devices",
            "or training.devices to fewer",
        ),
        (
            {"distribution": "multi_worker", "batch_size": 31},
            "found 31",
            "2 devices can't share evenly",
            "Set it to 30 or 32",
        ),
        (
            {"distribution": "multi_worker", "batch_size": 1},
            "found 1, ",
            "2 devices can't share evenly",
            "Set it to 2",
        ),
    ],
)
def test_what_can_t_be_shared_is_refused_before_any_work(
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, Any],
    found: str,
    allowed: str,
    next: str,
) -> None:
    cluster = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    with refused(ConfigError, found=found, allowed=allowed, next=next):
        check_devices(Training.model_validate(settings))


def test_one_device_needs_nothing() -> None:
    assert check_devices(Training()) == []
