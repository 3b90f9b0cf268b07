from __future__ import annotations

import numpy as np
import pytest

from components.lite_export.check import compare
from components.settings.export import Export

EXPECTED = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.45, 0.55]], np.float32)
FOUND = np.array([[0.8, 0.2], [0.6, 0.4], [0.2, 0.8], [0.55, 0.45]], np.float32)


def test_best_classes_and_scores_are_compared() -> None:
    found = compare(FOUND, EXPECTED)
    assert (found.pictures, found.agreement) == (4, 0.75)
    assert found.max_score_difference == pytest.approx(0.1)
    assert found.mean_score_difference == pytest.approx(0.05)


def test_what_is_within_the_tolerance_has_no_fault() -> None:
    settings = Export(min_agreement=0.75, max_score_difference=0.11)
    assert compare(FOUND, EXPECTED).faults(settings) == []


def test_what_is_not_is_told_with_what_was_found_and_the_key() -> None:
    agreement, difference = compare(FOUND, EXPECTED).faults(
        Export(min_agreement=0.8, max_score_difference=0.09)
    )
    assert "75.0% of 4 pictures (export.min_agreement: 80.0%)" in agreement
    assert "differs by 0.100 (export.max_score_difference: 0.09)" in difference
