from __future__ import annotations

import json
from pathlib import Path

import pytest
from tfx.types import standard_artifacts

from components.artifacts import saved_model
from components.artifacts.types import KEPT_VERSIONS, SERVED_DIGEST, SERVED_VERSION
from components.baseline.component import BaselineResolver, BaselineSettings, Driver, Executor
from serving import publishing, withdrawal
from tests.components.made_step import about_to_run, execute


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "saved_model.pb").write_bytes(b"graph")
    return tmp_path / "model"


def facts(push_directory: Path) -> dict[str, str]:
    settings = BaselineSettings(push_directory=str(push_directory))
    return Driver(None).facts_of(about_to_run(BaselineResolver, settings))


def resolve(push_directory: Path, target: Path) -> standard_artifacts.Model:
    """Runs driver and executor as the launcher does; gives the baseline."""
    settings = BaselineSettings(push_directory=str(push_directory))
    found = facts(push_directory)
    baseline = standard_artifacts.Model()
    baseline.uri = str(target)
    execute(Executor(), settings, {}, {"model": baseline}, **found)
    return baseline


@pytest.mark.parametrize("made", [True, False])
def test_without_a_served_model_the_baseline_is_empty(tmp_path: Path, made: bool) -> None:
    if made:
        (tmp_path / "served").mkdir()
    baseline = resolve(tmp_path / "served", tmp_path / "baseline")
    assert baseline.get_string_custom_property(SERVED_VERSION) == ""
    assert baseline.get_string_custom_property(SERVED_DIGEST) == ""
    assert not (tmp_path / "baseline" / "Format-Serving").exists()


def test_the_baseline_is_a_copy_of_the_version_served(tmp_path: Path, model: Path) -> None:
    publishing.publish(model, tmp_path / "served")
    (model / "saved_model.pb").write_bytes(b"newer")
    newest = publishing.publish(model, tmp_path / "served")
    baseline = resolve(tmp_path / "served", tmp_path / "baseline")
    assert baseline.get_string_custom_property(SERVED_VERSION) == str(newest)
    copy = saved_model.serving_dir(baseline.uri)
    assert (Path(copy) / "saved_model.pb").read_bytes() == b"newer"
    assert baseline.get_string_custom_property(SERVED_DIGEST) == saved_model.digest(copy)


def test_after_a_rollback_the_baseline_is_what_is_served_again(tmp_path: Path, model: Path) -> None:
    first = publishing.publish(model, tmp_path / "served")
    (model / "saved_model.pb").write_bytes(b"newer")
    publishing.publish(model, tmp_path / "served")
    before = facts(tmp_path / "served")
    withdrawal.rollback(tmp_path / "served", first)
    assert facts(tmp_path / "served") != before
    baseline = resolve(tmp_path / "served", tmp_path / "baseline")
    assert baseline.get_string_custom_property(SERVED_VERSION) == str(first)


def test_older_versions_that_are_kept_are_named_and_withdrawn_ones_are_not(
    tmp_path: Path, model: Path
) -> None:
    served, numbers = tmp_path / "served", []
    for content in (b"first", b"second", b"third"):
        (model / "saved_model.pb").write_bytes(content)
        numbers.append(publishing.publish(model, served))
    kept = json.loads(facts(served)[KEPT_VERSIONS])
    assert sorted(kept) == [str(number) for number in numbers[:2]]
    for number, known in kept.items():
        assert known == {
            "folder": str(served / number),
            "digest": saved_model.digest(served / number),
        }
    withdrawal.rollback(served, numbers[1])
    assert [*json.loads(facts(served)[KEPT_VERSIONS])] == [str(numbers[0])]
    baseline = resolve(served, tmp_path / "baseline")
    assert baseline.get_string_custom_property(KEPT_VERSIONS) == facts(served)[KEPT_VERSIONS]
