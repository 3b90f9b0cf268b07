"""Compares a file for devices with the SavedModel."""

from __future__ import annotations

import dataclasses

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from components.lite_export.convert import INPUT, OUTPUT
from components.settings.export import Export


@dataclasses.dataclass(frozen=True)
class Comparison:
    """How a file's predictions differ from the SavedModel's.

    Attributes:
      pictures: how many both predicted.
      agreement: part of them with the same best class.
      max_score_difference: of any class of any picture.
      mean_score_difference: over all of them.
    """

    pictures: int
    agreement: float
    max_score_difference: float
    mean_score_difference: float

    def faults(self, settings: Export) -> list[str]:
        """Returns a description of each measure that is not within the tolerance."""
        found = []
        if self.agreement < settings.min_agreement:
            found.append(
                f"the best class is the SavedModel's for {self.agreement:.1%} of {self.pictures} "
                f"pictures (export.min_agreement: {settings.min_agreement:.1%})"
            )
        if self.max_score_difference > settings.max_score_difference:
            found.append(
                f"a score differs by {self.max_score_difference:.3f} "
                f"(export.max_score_difference: {settings.max_score_difference:g})"
            )
        return found


def answers(file: bytes, pictures: np.ndarray) -> np.ndarray:
    """Returns a file's scores: [count, height, width, 3] uint8 RGB -> [count, classes] float32."""
    interpreter = Interpreter(model_content=file)
    run = interpreter.get_signature_runner("serving_default")
    return np.concatenate([run(**{INPUT: picture[np.newaxis]})[OUTPUT] for picture in pictures])


def compare(found: np.ndarray, expected: np.ndarray) -> Comparison:
    """Compares [count, classes] scores with the SavedModel's, in the same order."""
    differences = np.abs(found - expected)
    return Comparison(
        pictures=len(expected),
        agreement=float((found.argmax(axis=1) == expected.argmax(axis=1)).mean()),
        max_score_difference=float(differences.max()),
        mean_score_difference=float(differences.mean()),
    )
