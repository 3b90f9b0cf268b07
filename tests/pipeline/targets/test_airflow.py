"""The written DAG file, read with stand-ins for Airflow: tests/airflow has the real one."""

from __future__ import annotations

import runpy
import sys
import types
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from components.errors import ConfigError
from pipeline import config
from pipeline.targets.airflow import write_dag

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
        with pytest.raises(ConfigError) as refused:
            config.build(tree)
        told.append(str(refused.value))
    assert told[0] == told[1]
    assert key.removesuffix(".x") in told[0]
