"""A candidate that is the model served now: its evaluation was made before it was pushed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ml_metadata.metadata_store import MetadataStore
from tfx.components.evaluator import constants
from tfx.types import Artifact, standard_artifacts

from components.artifacts import saved_model
from components.artifacts.types import SERVED_DIGEST
from components.files.paths import is_remote
from components.step import executions


def compared(store: MetadataStore, candidate: Artifact, served: Artifact) -> Iterator[Artifact]:
    """Yields the baselines that the gate compared the candidate with when it blessed it.

    The oldest comes first: with it the candidate was pushed, and push and report are in the cache.
    None where another model is served. A root that is no folder is not looked into.

    Args:
      store: the opened metadata.
      candidate: the model that is to be evaluated.
      served: the baseline now.
    """
    known = served.get_string_custom_property(SERVED_DIGEST)
    if not known or is_remote(candidate.uri):
        return
    if saved_model.digest(saved_model.serving_dir(candidate.uri)) != known:
        return
    for execution in executions.readers(store, candidate.id):
        blessing = executions.outputs(store, execution).get("blessing")
        baseline = executions.inputs(store, execution).get("baseline_model")
        if blessing is not None and baseline is not None and _is_blessed(blessing):
            artifact = standard_artifacts.Model()
            artifact.set_mlmd_artifact(baseline)
            yield artifact


def _is_blessed(blessing: Any) -> bool:
    found = blessing.custom_properties[constants.ARTIFACT_PROPERTY_BLESSED_KEY].int_value
    return bool(found == constants.BLESSED_VALUE)
