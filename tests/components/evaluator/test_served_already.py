"""The evaluation of a candidate that is served now is the one before its push."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlpb
from tfx.types import Artifact, standard_artifacts

from components.artifacts import saved_model
from components.artifacts.types import SERVED_DIGEST
from components.evaluator.component import Evaluator
from components.settings import metadata


class History:
    """A candidate, and the evaluations that it had."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.store = MetadataStore(metadata.connection_config(str(folder / "metadata.sqlite")))
        self._model = self.store.put_artifact_type(mlpb.ArtifactType(name="Model"))
        self._blessing = self.store.put_artifact_type(mlpb.ArtifactType(name="ModelBlessing"))
        serving = folder / "candidate" / "Format-Serving"
        serving.mkdir(parents=True)
        (serving / "saved_model.pb").write_bytes(b"graph")
        self.candidate = mlpb.Artifact(type_id=self._model, uri=str(serving.parent))
        self.digest = saved_model.digest(serving)

    def evaluated(self, against: str, blessed: bool) -> int:
        """Records an evaluation; returns the id of its baseline."""
        baseline = mlpb.Artifact(type_id=self._model, uri=str(self.folder / against))
        blessing = mlpb.Artifact(type_id=self._blessing, uri=str(self.folder / f"of {against}"))
        blessing.custom_properties["blessed"].int_value = int(blessed)
        kind = self.store.put_execution_type(mlpb.ExecutionType(name="Evaluator"))
        _, ids, _ = self.store.put_execution(
            mlpb.Execution(type_id=kind),
            [
                (self.candidate, _event(mlpb.Event.INPUT, "model")),
                (baseline, _event(mlpb.Event.INPUT, "baseline_model")),
                (blessing, _event(mlpb.Event.OUTPUT, "blessing")),
            ],
            [],
        )
        self.candidate.id = ids[0]
        return int(ids[1])

    def alike(self, digest: str, uri: str | None = None) -> list[int]:
        """Returns the ids of the baselines of evaluations that hold for a baseline now."""
        candidate, served = standard_artifacts.Model(), standard_artifacts.Model()
        candidate.set_mlmd_artifact(self.candidate)
        candidate.uri = uri or candidate.uri
        served.set_string_custom_property(SERVED_DIGEST, digest)
        inputs: dict[str, list[Artifact]] = {"model": [candidate], "baseline_model": [served]}
        found = list(Evaluator.alike(self.store, inputs))
        assert all(each["model"] == [candidate] for each in found)
        return [each["baseline_model"][0].id for each in found]


def _event(kind: Any, key: str) -> mlpb.Event:
    event = mlpb.Event(type=kind)
    event.path.steps.add().key = key
    return event


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path)


def test_it_is_found_where_the_candidate_is_served_and_was_blessed(history: History) -> None:
    first = history.evaluated("none", blessed=True)
    history.evaluated("better", blessed=False)
    last = history.evaluated("worse", blessed=True)
    assert history.alike(history.digest) == [first, last]  # the first is that of the push


@pytest.mark.parametrize("digest", ["", "of another model"])
def test_where_another_model_or_none_is_served_it_is_evaluated_anew(
    history: History, digest: str
) -> None:
    history.evaluated("none", blessed=True)
    assert history.alike(digest) == []


def test_one_that_was_never_let_pass_is_evaluated_anew(history: History) -> None:
    history.evaluated("none", blessed=False)
    assert history.alike(history.digest) == []


def test_a_root_that_is_no_folder_is_not_looked_into(history: History) -> None:
    history.evaluated("none", blessed=True)
    assert history.alike(history.digest, "gs://bucket/candidate") == []
