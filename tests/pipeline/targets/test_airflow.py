"""The written DAG file, read with stand-ins for Airflow: tests/airflow has the real one."""

from __future__ import annotations

import json
import runpy
import sys
import types
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
import pytest

from components.errors import ConfigError
from pipeline import config
from pipeline.targets.airflow import write_dag
from tests.explains import refused

TREE: dict[str, Any] = {"data": {"source": "pictures"}, "push": {"directory": "models"}}


@pytest.fixture
def dag_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Loads the file where neither this project nor the JSON file is at hand."""
    settings = {"runtime": {"airflow": {"command": "/opt/transfer-pipeline"}}}
    write_dag({"nodes": []}, config.build(TREE | settings), tmp_path / "pets.py")
    (tmp_path / "pets.json").unlink()
    sdk = types.ModuleType("airflow.sdk")
    sdk.DAG = object  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        for name, module in (("airflow", types.ModuleType("airflow")), ("airflow.sdk", sdk)):
            patch.setitem(sys.modules, name, module)
        for name in ("pipeline", "components"):
            patch.setitem(sys.modules, name, None)
        return runpy.run_path(str(tmp_path / "pets.py"))


def test_its_data_have_no_webhook_which_no_task_reads(tmp_path: Path) -> None:
    runtime = {"notify": {"webhook": "https://chat/51lence"}, "airflow": {"command": "/opt/tp"}}
    write_dag({"nodes": []}, config.build(TREE | {"runtime": runtime}), tmp_path / "pets.py")
    assert "51lence" not in (tmp_path / "pets.json").read_text()


def test_it_imports_nothing_of_ours_and_sets_keys_by_their_path(dag_file: dict[str, Any]) -> None:
    assert "dag" not in dag_file
    configured, end = dag_file["configured"], datetime(2026, 11, 22)
    assert configured(TREE, "date", {"training.seed": 7}, end) == {
        **TREE,
        "data": {"source": "pictures", "span": 20261121},
        "training": {"seed": 7},
    }
    assert TREE["data"] == {"source": "pictures"}


@pytest.mark.parametrize("key", ["training.seed.x", "gate.x", "data.source.x", "push.directory.x"])
def test_a_wrong_key_in_conf_is_told_as_set_tells_it(dag_file: dict[str, Any], key: str) -> None:
    by_set = config.build(TREE).model_dump()
    by_conf = dag_file["configured"](by_set, "none", {key: 1}, None)
    config.override(by_set, f"{key}=1")
    told = []
    for tree in (by_conf, by_set):
        with refused(
            ConfigError, found=key.removesuffix(".x"), allowed="llowed|needed", next="correct"
        ) as refusal:
            config.build(tree)
        told.append(str(refusal.value))
    assert told[0] == told[1]


@pytest.fixture
def rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Renders the variables of the first task as Airflow does, with what a run's context has."""
    made: dict[str, Any] = {}

    class Dag:
        def __init__(self, **arguments: Any) -> None:
            made["macros"] = arguments["user_defined_macros"]

        def __enter__(self) -> Dag:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    sdk, bash = types.ModuleType("airflow.sdk"), types.ModuleType("bash")
    sdk.DAG = Dag  # type: ignore[attr-defined]
    bash.BashOperator = lambda **named: made.setdefault("env", named["env"])  # type: ignore[attr-defined]
    above = "airflow.providers.standard.operators"
    names = ["airflow", "airflow.providers", "airflow.providers.standard", above]
    for name in names:
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "airflow.sdk", sdk)
    monkeypatch.setitem(sys.modules, f"{above}.bash", bash)

    def render(root: str = "/runs", conf: dict[str, Any] | None = None, **context: Any) -> Any:
        airflow = {"command": "/opt/{{ own }}/transfer-pipeline.sh", "span": "date"}
        tree = TREE | {"runtime": {"root": root, "airflow": airflow}}
        write_dag({"nodes": []}, config.build(tree), tmp_path / "pets.py")
        runpy.run_path(str(tmp_path / "pets.py"))
        jinja = jinja2.Environment(undefined=jinja2.StrictUndefined)
        context = {"run_id": "manual__1", "dag_run": types.SimpleNamespace(conf=conf), **context}
        known = {**made["macros"], **context}
        return {name: jinja.from_string(text).render(known) for name, text in made["env"].items()}

    return render


@pytest.mark.parametrize("conf", [None, {}, {"training.seed": 7}])
def test_a_run_by_hand_without_a_data_interval_reads_the_newest_span(
    rendered: Any, conf: dict[str, Any] | None
) -> None:
    for context in ({}, {"data_interval_end": None}):
        found = json.loads(rendered(conf=conf, **context)["CONFIGURATION"])
        assert found["data"]["span"] is None
        assert found["training"]["seed"] == (7 if conf else 0)
    ended = rendered(conf=conf, data_interval_end=datetime(2026, 11, 22))
    assert json.loads(ended["CONFIGURATION"])["data"]["span"] == 20261121


def test_braces_in_a_path_are_no_template(rendered: Any) -> None:
    found = rendered(root="/runs/{{ 7 * 7 }}/{% raw %}", data_interval_end=None)
    assert found["COMMAND"] == "/opt/{{ own }}/transfer-pipeline.sh"
    folder = "/runs/{{ 7 * 7 }}/{% raw %}/image-classifier/.compiled"
    assert found["COMPILED"] == f"{folder}/image-classifier-manual__1.json"
    assert json.loads(found["CONFIGURATION"])["runtime"]["root"] == "/runs/{{ 7 * 7 }}/{% raw %}"
