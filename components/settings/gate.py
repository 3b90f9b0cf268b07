"""What a model must reach on the test split before it is served."""

from __future__ import annotations

from components.settings.base import Fraction, Section


class Gate(Section):
    """What a model must reach on the test split before it is served."""

    min_accuracy: Fraction = 0.8
    min_class_recall: Fraction = 0.5
    """Of every class."""
    max_regression: Fraction = 0.0
    """How far its accuracy may lie under that of the model served now."""
    beats_majority_class: bool = True
    """Its accuracy must exceed that of always naming the most frequent class."""
