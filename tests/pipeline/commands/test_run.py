from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.errors import ConfigError
from pipeline.commands.run import Request, build_config
from pipeline.commands.run_config import _in_a_sentence, read_by_programs
from tests.explains import refused

KEYS = {
    "verdict",
    "run_id",
    "metrics",
    "gate",
    "pushed_version",
    "model_dir",
    "report",
    "log",
    "components",
    "error",
}
"""The keys that programs read of a run: design.md's contract."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pipeline.yaml"
    path.write_text("data: {source: mine}\npush: {directory: served}\ntraining: {seed: 3}\n")
    return path


def build(**words: Any) -> Any:
    return build_config(Request(**words))


def test_a_file_is_read_and_the_words_override_it(file: Path) -> None:
    built = build(config_file=file, data="other", root="r", assignments=["training.seed=4"])
    assert (built.data.source, built.runtime.root, built.training.seed) == ("other", "r", 4)
    assert built.push.directory == "served"
    assert build(config_file=file).data.source == "mine"


def test_a_folder_alone_is_enough() -> None:
    built = build(data="pictures")
    assert built.data.source == "pictures"
    assert built.push_directory == built.root / "served" / "image-classifier"


def test_without_a_file_the_push_directory_lies_in_the_root() -> None:
    built = build(data="pictures", root="/r", assignments=["pipeline_name=cats"])
    assert built.push.directory == "/r/served/cats"
    built = build(data="pictures", assignments=["runtime.root=/s", "push.keep_versions=2"])
    assert (built.push.directory, built.push.keep_versions) == ("/s/served/image-classifier", 2)
    assert build(data="p", assignments=["push.directory=/x"]).push.directory == "/x"


def test_a_root_that_is_no_folder_holds_no_push_directory() -> None:
    with pytest.raises(ConfigError, match="push.directory: is missing"):
        build(data="pictures", root="gs://bucket/runs")


def test_a_file_must_name_its_push_directory(tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text("data: {source: mine}\n")
    with pytest.raises(ConfigError, match="push: is missing"):
        build(config_file=path)


def test_a_blessing_needs_a_reason() -> None:
    assert build(data="pictures", bless="trade fair").gate.bless == "trade fair"
    assert build(data="pictures").gate.bless is None
    with pytest.raises(ConfigError, match=r"gate\.bless"):
        build(data="pictures", bless="")


def test_a_preset_needs_pictures() -> None:
    built = build(preset="solar-cells", data="cells")
    assert (built.pipeline_name, built.data.source) == ("solar-cells", "cells")
    with pytest.raises(ConfigError, match="data.source: is missing"):
        build(preset="solar-cells")


def test_nothing_to_run_and_two_configurations_are_refused(file: Path) -> None:
    with refused(
        ConfigError,
        found="Nothing to run",
        allowed="--config FILE, --preset NAME or --data DIR",
        next="name",
    ):
        build()
    with refused(
        ConfigError, found="--config and --preset", allowed="exclude each other", next="name one"
    ):
        build(config_file=file, preset="solar-cells")


@pytest.mark.parametrize("tree", ["push=5", "runtime=5", "pipeline_name=[1]"])
def test_a_section_of_the_wrong_type_is_told_and_no_crash(tree: str) -> None:
    with pytest.raises(ConfigError, match=tree.partition("=")[0]):
        build(data="pictures", assignments=[tree])


def test_a_run_that_never_started_has_the_keys_of_the_contract() -> None:
    found = read_by_programs(error="no folder")
    assert set(found) == KEYS
    assert (found["verdict"], found["error"]) == ("failed", "no folder")
    assert (found["metrics"], found["gate"], found["components"]) == ({}, [], {})


def test_a_pushed_run_has_the_keys_of_the_contract(tmp_path: Path) -> None:
    from tests.pipeline.store.made_runs import judged_run

    run = judged_run(tmp_path, verdict="passed", pushed=7)
    found = read_by_programs(run, None, tmp_path / "x.log", build(data="pictures", root="/r"))
    assert set(found) == KEYS
    assert {key: found[key] for key in KEYS - {"components", "gate"}} == {
        "verdict": "pushed",
        "run_id": "run-1",
        "metrics": {"pictures": 10, "accuracy": 0.9, "class_recall": {"cats": 0.8, "dogs": 1.0}},
        "pushed_version": 7,
        "model_dir": "/r/served/image-classifier",
        "report": None,
        "log": str(tmp_path / "x.log"),
        "error": None,
    }
    assert list(found["gate"][0]) == ["metric", "slice", "found", "needed", "passed"]
    assert found["components"]["Trainer"] == {"state": "cached", "seconds": 0.0}
    assert found["components"]["Pusher"] == {"state": "ran", "seconds": 1.23}


def test_a_node_that_failed_makes_the_run_a_failed_one(tmp_path: Path) -> None:
    from tests.pipeline.store.made_runs import judged_run

    run = judged_run(tmp_path, verdict="passed", pushed=7)
    assert read_by_programs(run, "Pusher: disk full", tmp_path, None)["verdict"] == "failed"


def test_a_users_fault_is_told_as_it_stands_and_another_with_its_kind() -> None:
    assert _in_a_sentence(ConfigError("no folder\n  a: b")) == "no folder\n  a: b"
    assert _in_a_sentence(KeyError("x\ny")) == "KeyError: 'x\\ny'"
    assert _in_a_sentence(ValueError("first\nsecond")) == "ValueError: first"
    assert _in_a_sentence(ValueError()) == "ValueError: "
    of_a_worker = "Traceback (most recent call last):\n  File x\nDataError: no pictures [running y]"
    assert _in_a_sentence(RuntimeError(of_a_worker)) == "DataError: no pictures [running y]"
