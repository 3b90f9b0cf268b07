from __future__ import annotations

from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.orchestration.metadata import Metadata, sqlite_metadata_connection_config

from components.artifacts.types import IngestReport
from components.step import previous


@pytest.fixture
def metadata(tmp_path: Path) -> Metadata:
    return Metadata(sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite")))


def keep(
    metadata: Metadata, folder: Path, question: str, built_on: str = "", live: bool = True
) -> None:
    """Keeps an ingest report of the pipeline `pets`, as TFX's publisher does."""
    folder.mkdir(parents=True, exist_ok=True)
    with metadata as handle:
        kind = handle.store.put_artifact_type(
            mlmd.ArtifactType(name=IngestReport.TYPE_NAME), can_add_fields=True
        )
        artifact = mlmd.Artifact(type_id=kind, uri=str(folder))
        artifact.state = mlmd.Artifact.LIVE if live else mlmd.Artifact.ABANDONED
        artifact.custom_properties[previous.QUESTION].string_value = question
        artifact.custom_properties[previous.PREVIOUS].string_value = built_on
        [artifact_id] = handle.store.put_artifacts([artifact])
        of = handle.store.put_context_type(mlmd.ContextType(name="pipeline"))
        context = handle.store.get_context_by_type_and_name("pipeline", "pets")
        context_id = (
            context.id
            if context
            else handle.store.put_contexts([mlmd.Context(type_id=of, name="pets")])[0]
        )
        bond = mlmd.Attribution(artifact_id=artifact_id, context_id=context_id)
        handle.store.put_attributions_and_associations([bond], [])


def built_on(metadata: Metadata | None, question: str) -> str:
    return previous.facts(metadata, "pets", IngestReport, question)[previous.PREVIOUS]


def test_the_last_output_is_built_on(metadata: Metadata, tmp_path: Path) -> None:
    assert built_on(metadata, "week 1") == ""
    keep(metadata, tmp_path / "1", "week 1")
    assert built_on(metadata, "week 2") == str(tmp_path / "1")
    keep(metadata, tmp_path / "2", "week 2", str(tmp_path / "1"))
    assert built_on(metadata, "week 3") == str(tmp_path / "2")


def test_a_repeated_question_gets_the_same_answer_so_that_the_cache_has_it(
    metadata: Metadata, tmp_path: Path
) -> None:
    keep(metadata, tmp_path / "1", "week 1")
    assert built_on(metadata, "week 1") == ""
    keep(metadata, tmp_path / "2", "week 2", str(tmp_path / "1"))
    assert built_on(metadata, "week 2") == str(tmp_path / "1")


def test_what_failed_or_is_gone_is_passed_over(metadata: Metadata, tmp_path: Path) -> None:
    keep(metadata, tmp_path / "1", "week 1")
    keep(metadata, tmp_path / "2", "week 2", live=False)
    keep(metadata, tmp_path / "3", "week 3")
    (tmp_path / "3").rmdir()
    assert built_on(metadata, "week 4") == str(tmp_path / "1")


def test_another_pipeline_and_no_metadata_remember_nothing(
    metadata: Metadata, tmp_path: Path
) -> None:
    keep(metadata, tmp_path / "1", "week 1")
    found = previous.facts(metadata, "plants", IngestReport, "week 2")
    assert found == {previous.QUESTION: "week 2", previous.PREVIOUS: ""}
    assert built_on(None, "week 2") == ""


def test_an_older_output_answers_its_question_again_where_it_still_holds(
    metadata: Metadata, tmp_path: Path
) -> None:
    keep(metadata, tmp_path / "1", "with cats", "long ago")
    keep(metadata, tmp_path / "2", "with dogs", str(tmp_path / "1"))
    assert built_on(metadata, "with cats") == str(tmp_path / "2")
    asked: list[tuple[str, str]] = []

    def holds(folder: str, last: str) -> bool:
        asked.append((folder, last))
        return True

    found = previous.facts(metadata, "pets", IngestReport, "with cats", holds)
    assert found[previous.PREVIOUS] == "long ago"
    assert asked == [(str(tmp_path / "1"), str(tmp_path / "2"))]


def test_a_store_that_knows_no_output_goes_on_from_what_is_left(
    metadata: Metadata, tmp_path: Path
) -> None:
    def built(question: str) -> str:
        found = previous.facts(metadata, "pets", IngestReport, question, left=lambda: "earlier")
        return found[previous.PREVIOUS]

    assert built("week 1") == "earlier"
    keep(metadata, tmp_path / "1", "week 1", "earlier")
    assert built("week 1") == "earlier"  # so that the cache has it
    assert built("week 2") == str(tmp_path / "1")
