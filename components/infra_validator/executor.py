"""Blesses a candidate that a server serves as it is."""

from __future__ import annotations

import os
from pathlib import Path

from tfx.dsl.io import fileio
from tfx.types import Artifact

from components.artifacts import features, network_answers, saved_model
from components.infra_validator.trial import find_fault
from components.model.transform_graph import first_pictures
from components.settings.push import Infra
from components.step import progress
from components.step.artifacts import Artifacts
from components.step.base import StepExecutor

_REASON_LENGTH = 500  # characters

# As TFX's own InfraValidator writes them, so that any Pusher can read them.
_BLESSED = "blessed"
_FILES = {True: "INFRA_BLESSED", False: "INFRA_NOT_BLESSED"}


class Executor(StepExecutor[Infra]):
    """Writes the standard blessing; where it is refused, the reason in `reason.txt` beside it."""

    SETTINGS = Infra

    def do(
        self, inputs: Artifacts, outputs: Artifacts, settings: Infra, facts: dict[str, str]
    ) -> None:
        model = inputs.uri("model")
        folder = inputs.split("examples", features.EVAL)
        pictures = first_pictures(folder, network_answers.PICTURES)
        progress.report(f"a session, then a server with the candidate, {len(pictures)} pictures")
        directory = Path(saved_model.serving_dir(model))
        in_memory = network_answers.read(model)
        fault = find_fault(directory, pictures, in_memory, max_latency_ms=settings.max_latency_ms)
        _bless(outputs.one("blessing"), fault)


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
