"""Keeps every test picture's answers, so that all who need predictions read the same ones."""

from __future__ import annotations

import json
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma

from components import features

_STAGE = "PicturePredictions"


def evaluator(models: list[str]) -> tfma.evaluators.Evaluator:
    """Gives a TFMA evaluator whose output, under its stage name, is one JSON row per picture.

    A row is {"file", "sha256", "label", MODEL: {"classes": [...], "scores": [...]}, ...}, with
    classes and scores in the class list's order of each model.
    """
    return tfma.evaluators.Evaluator(
        stage_name=_STAGE,
        run_after=tfma.extractors.SLICE_KEY_EXTRACTOR_STAGE_NAME,
        ptransform=_Rows(models),
    )


def writer(prefix: str) -> tfma.writers.Writer:
    """Gives a TFMA writer of those rows to `PREFIX-*.jsonl`."""
    return tfma.writers.Writer(stage_name=f"Write{_STAGE}", ptransform=_Write(prefix))


class _Rows(beam.PTransform):
    def __init__(self, models: list[str]):
        super().__init__()
        self._models = models

    def expand(self, extracts: beam.PCollection) -> dict[str, beam.PCollection]:
        return {_STAGE: extracts | "Rows" >> beam.Map(_row, models=self._models)}


class _Write(beam.PTransform):
    def __init__(self, prefix: str):
        super().__init__()
        self._prefix = prefix

    def expand(self, evaluation: dict[str, beam.PCollection]) -> Any:
        return evaluation[_STAGE] | beam.io.WriteToText(self._prefix, file_name_suffix=".jsonl")


def _row(extracts: dict[str, Any], models: list[str]) -> str:
    answers = extracts[tfma.PREDICTIONS_KEY]
    if len(models) == 1:  # TFMA leaves the name out where there is one model
        answers = {models[0]: answers}
    picture = extracts[tfma.FEATURES_KEY]
    row: dict[str, Any] = {
        "file": _texts(picture[features.FILENAME])[0],
        "sha256": _texts(picture[features.SHA256])[0],
        "label": _texts(picture[features.LABEL])[0],
    }
    for model in models:
        scores = np.asarray(answers[model]["scores"], np.float64)
        row[model] = {"classes": _texts(answers[model]["classes"]), "scores": scores.tolist()}
    return json.dumps(row, ensure_ascii=False)


def _texts(values: Any) -> list[str]:
    return [value.decode() for value in np.asarray(values).reshape(-1)]
