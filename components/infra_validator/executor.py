"""Blesses a candidate that a server serves as it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import Artifact, artifact_utils

from components.artifacts import features, network_answers, saved_model
from components.infra_validator.trial import find_fault
from components.model.transform_graph import first_pictures
from components.settings.push import Infra
from components.step import progress

_REASON_LENGTH = 500  # characters

# As TFX's own InfraValidator writes them, so that any Pusher can read them.
_BLESSED = "blessed"
_FILES = {True: "INFRA_BLESSED", False: "INFRA_NOT_BLESSED"}


class Executor(base_executor.BaseExecutor):
    """Writes the standard blessing; where it is refused, the reason in `reason.txt` beside it."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        model = artifact_utils.get_single_uri(input_dict["model"])
        folder = artifact_utils.get_split_uri(input_dict["examples"], features.EVAL)
        pictures = first_pictures(folder, network_answers.PICTURES)
        progress.report(f"a session, then a server with the candidate, {len(pictures)} pictures")
        infra = Infra.model_validate_json(exec_properties["infra"])
        directory = Path(saved_model.serving_dir(model))
        in_memory = network_answers.read(model)
        fault = find_fault(directory, pictures, in_memory, max_latency_ms=infra.max_latency_ms)
        _bless(artifact_utils.get_single_instance(output_dict["blessing"]), fault)


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
