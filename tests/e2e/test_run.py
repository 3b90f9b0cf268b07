"""The main job, from a folder of pictures to a pushed model."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2

from pipeline.commands.run import build_config
from serving import versions
from tests.e2e.conftest import FirstRun


def _store(root: Path) -> metadata_store.MetadataStore:
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(root / "metadata.sqlite")
    return metadata_store.MetadataStore(connection)


def test_the_first_run_runs_every_node_and_pushes_one_version(first_run: FirstRun) -> None:
    result = first_run.result
    assert result["verdict"] == "pushed"
    assert result["error"] is None
    assert {node["state"] for node in result["components"].values()} == {"ran"}
    assert result["metrics"]["accuracy"] >= 0.8
    assert list(result["metrics"]["class_recall"]) == ["blue", "green", "red"]
    assert all(row["passed"] for row in result["gate"])
    published = versions.published(Path(result["model_dir"]))
    assert [version.number for version in published] == [result["pushed_version"]]
    assert Path(result["log"]).is_file()


def test_no_call_of_ours_is_deprecated(first_run: FirstRun) -> None:
    """TensorFlow logs `From FILE:LINE: NAME is deprecated` with the file of the call."""
    log = Path(first_run.result["log"]).read_text("utf-8")
    told = re.findall(r"From \S*/(?:pipeline|components|serving)/\S+: .*", log)
    assert [line for line in told if "deprecated" in line and "site-packages" not in line] == []


def test_the_artifacts_are_the_standard_ones(first_run: FirstRun) -> None:
    store = _store(first_run.root)
    [blessing] = store.get_artifacts_by_type("ModelBlessing")[:1]
    assert blessing.custom_properties["blessed"].int_value == 1
    models = {artifact.id: artifact for artifact in store.get_artifacts_by_type("Model")}
    candidate = models[blessing.custom_properties["current_model_id"].int_value]
    assert Path(candidate.uri, "Format-Serving", "saved_model.pb").is_file()
    assert Path(candidate.uri, "model.keras").is_file()
    [examples] = store.get_artifacts_by_type("Examples")[:1]
    assert json.loads(examples.properties["split_names"].string_value) == ["train", "eval", "test"]
    assert (first_run.output("Trainer", "model_run") / "history.json").is_file()


def test_every_picture_lies_in_one_split_and_is_counted(first_run: FirstRun) -> None:
    report = json.loads(
        (first_run.output("ImageExampleGen", "ingest_report") / "report.json").read_text()
    )
    assert report["accepted"] == 120
    assert sum(sum(counts.values()) for counts in report["counts"].values()) == 120


def test_an_identical_run_reuses_all_and_leaves_the_model_unchanged(
    first_run: FirstRun, capfd: pytest.CaptureFixture[str]
) -> None:
    result = first_run.run()
    assert result["verdict"] == "unchanged"
    assert result["pushed_version"] is None
    states = {name: node["state"] for name, node in result["components"].items()}
    assert states.pop("BaselineResolver") in ("ran", "cached")  # it copies what is served now
    assert set(states.values()) == {"cached"}  # Evaluator, Pusher and Report, too
    assert (result["metrics"], result["report"]) == (
        first_run.result["metrics"],
        first_run.result["report"],
    )
    said = capfd.readouterr().out
    assert "The candidate is the model served already" in said
    assert "No model is served yet" not in said
    assert len(versions.published(Path(result["model_dir"]))) == 1
    again = first_run.run()
    assert again["verdict"] == "unchanged"
    assert {node["state"] for node in again["components"].values()} == {"cached"}


def test_local_dag_runner_runs_the_pipeline_as_it_stands(first_run: FirstRun) -> None:
    from tfx.orchestration.local.local_dag_runner import LocalDagRunner

    from pipeline.definition import create_pipeline

    pushed = versions.published(Path(first_run.result["model_dir"]))
    LocalDagRunner().run(create_pipeline(build_config(first_run.request())))
    assert versions.published(Path(first_run.result["model_dir"])) == pushed
