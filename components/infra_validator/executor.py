"""Blesses a candidate that a server serves as it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tfx.dsl.io import fileio
from tfx.types import Artifact

from components.artifacts import export_record, features, network_answers, saved_model
from components.infra_validator.trial import TOLERANCES, find_fault
from components.model.transform_graph import first_pictures
from components.settings.base import Fraction
from components.settings.export import Export
from components.settings.push import Infra
from components.step import progress
from components.step.artifacts import Artifacts
from components.step.base import StepExecutor

_REASON_LENGTH = 500  # characters

# As TFX's own InfraValidator writes them, so that any Pusher can read them.
_BLESSED = "blessed"
_FILES = {True: "INFRA_BLESSED", False: "INFRA_NOT_BLESSED"}


class InfraSettings(Infra):
    """The requirements on a server, and on a SavedModel of less precision."""

    min_agreement: Fraction = 0.95

    @classmethod
    def of(cls, infra: Infra, export: Export) -> InfraSettings:
        """Returns what counts here of the configuration's sections."""
        return cls(max_latency_ms=infra.max_latency_ms, min_agreement=export.min_agreement)


class Executor(StepExecutor[InfraSettings]):
    """Writes the standard blessing; where it is refused, the reason in `reason.txt` beside it."""

    SETTINGS = InfraSettings

    def do(
        self, inputs: Artifacts, outputs: Artifacts, settings: InfraSettings, facts: dict[str, str]
    ) -> None:
        model = inputs.uri("model")
        folder = inputs.split("examples", features.EVAL)
        pictures = first_pictures(folder, network_answers.PICTURES)
        progress.report(f"a session, then a server with the candidate, {len(pictures)} pictures")
        directory = Path(saved_model.serving_dir(model))
        in_memory, record = network_answers.read(model), export_record.read(model)
        fault = _disagreement(record, settings.min_agreement) or find_fault(
            directory,
            pictures,
            in_memory,
            max_latency_ms=settings.max_latency_ms,
            tolerance=TOLERANCES[record.get("precision", "float32")],
        )
        _bless(outputs.one("blessing"), fault)


def _disagreement(record: dict[str, Any], least: float) -> str | None:
    """Returns why an export of less precision is refused; None where it agrees."""
    if record.get("agreement", 1.0) >= least:
        return None
    return (
        f"In {record['precision']} the best class is that of the float32 network for "
        f"{record['agreement']:.1%} of {record['pictures']} pictures of eval "
        f"(export.min_agreement: {least:.1%}). Set export.precision=float32, or allow less."
    )


def _bless(blessing: Artifact, fault: str | None) -> None:
    texts = {_FILES[fault is None]: ""}
    blessing.set_int_custom_property(_BLESSED, int(fault is None))
    if fault is not None:
        reason = fault[:_REASON_LENGTH]
        blessing.set_string_custom_property("reason", reason)
        texts["reason.txt"] = reason
    fileio.makedirs(blessing.uri)
    for name, text in texts.items():
        with fileio.open(os.path.join(blessing.uri, name), "w") as file:
            file.write(text)
