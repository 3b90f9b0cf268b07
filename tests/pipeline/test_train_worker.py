from __future__ import annotations

import json
from pathlib import Path

import pytest
from tfx.proto.orchestration import pipeline_pb2

from components.errors import ConfigError
from components.settings.model import Model
from components.settings.training import Training
from components.step.base import SETTINGS
from components.trainer import job
from components.trainer.settings import TrainerSettings
from pipeline import node_runner, train_worker
from tests.explains import refused

CLUSTER = {"worker": ["localhost:2222", "localhost:2223"]}


def compiled(root: str, distribution: str) -> pipeline_pb2.Pipeline:
    """Two nodes, with the settings of the training where TFX compiles them to."""
    made = pipeline_pb2.Pipeline()
    made.runtime_spec.pipeline_root.field_value.string_value = root
    made.runtime_spec.pipeline_run_id.field_value.string_value = "monday"
    training = Training.model_validate({"distribution": distribution})
    settings = TrainerSettings(model=Model(), training=training).model_dump_json()
    for name in ("BottleneckGen", "Trainer"):
        node = made.nodes.add().pipeline_node
        node.node_info.id = name
        node.parameters.parameters[SETTINGS].field_value.string_value = settings
    return made


def be(monkeypatch: pytest.MonkeyPatch, index: int) -> None:
    config = {"cluster": CLUSTER, "task": {"type": "worker", "index": index}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))


@pytest.mark.parametrize(
    ("distribution", "node", "index", "helps"),
    [
        ("multi_worker", 1, 1, True),
        ("multi_worker", 1, 0, False),  # the chief
        ("multi_worker", 0, 1, False),  # another node
        ("none", 1, 1, False),
        ("mirrored", 1, 1, False),
    ],
)
def test_only_the_trainers_other_workers_help(
    monkeypatch: pytest.MonkeyPatch, distribution: str, node: int, index: int, helps: bool
) -> None:
    be(monkeypatch, index)
    made = compiled("/runs", distribution)
    assert train_worker.is_helper(made, made.nodes[node].pipeline_node) is helps


def test_without_tf_config_nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with refused(
        ConfigError,
        found="TF_CONFIG, which is not set",
        allowed="in every worker's process",
        next="Set it .*or set training.distribution=none",
    ):
        node_runner.run_node(compiled("/runs", "multi_worker"), "Trainer")


def test_a_root_that_is_no_folder_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    be(monkeypatch, 1)
    made = compiled("gs://runs", "multi_worker")
    with refused(
        ConfigError,
        found="found gs://runs",
        allowed="a root that all workers see as a folder",
        next="Mount it, or set training.distribution=mirrored",
    ):
        train_worker.is_helper(made, made.nodes[1].pipeline_node)


def test_a_worker_waits_for_the_chiefs_job_and_takes_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    offer, taken = Path(job.offer_path(str(tmp_path), "Trainer", "monday")), []
    monkeypatch.setattr(job, "take", taken.append)
    looks = 0

    def state() -> str | None:
        nonlocal looks
        looks += 1
        if looks == 3:
            offer.parent.mkdir(parents=True)
            offer.write_text("{}")
        return "failed" if looks > 1 else None  # a chief that is at work has not ended yet

    made = compiled(str(tmp_path), "multi_worker")
    assert train_worker.help_out(made, "Trainer", state, pause=0) == "helped"
    assert (taken, looks) == ([str(offer)], 3)


@pytest.mark.parametrize("state", ["ran", "cached"])
def test_a_worker_that_comes_late_has_nothing_to_do(tmp_path: Path, state: str) -> None:
    made = compiled(str(tmp_path), "multi_worker")
    assert train_worker.help_out(made, "Trainer", lambda: state) == state


def test_a_chief_that_never_comes_is_told(tmp_path: Path) -> None:
    made = compiled(str(tmp_path), "multi_worker")
    with refused(
        train_worker.NoChief,
        found="No chief began to train in run 'monday'",
        allowed="where TF_CONFIG has index 0",
        next="Start `run-node --node Trainer` with the same arguments",
    ):
        train_worker.help_out(made, "Trainer", lambda: None, pause=0, patience=0)
