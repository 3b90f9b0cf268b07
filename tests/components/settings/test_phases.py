from __future__ import annotations

import pytest
from pydantic import ValidationError

from components.settings.training import Training

FLIPS = {"horizontal_flip": True}


def test_a_phase_changes_pictures_its_own_way_or_that_of_both() -> None:
    training = Training.model_validate(
        {"augmentation": FLIPS, "frozen": {"augmentation": {}}, "unfrozen": {}}
    )
    assert not training.augmentation_of("frozen").active
    assert training.augmentation_of("unfrozen").horizontal_flip


@pytest.mark.parametrize(
    "given", [{"augmentation": FLIPS}, {"frozen": {"augmentation": {"rotation": 10}}}]
)
def test_cached_features_of_changed_pictures_are_refused_with_both_ways_out(
    given: dict[str, object],
) -> None:
    with pytest.raises(ValidationError, match=r"features: end_to_end.*frozen.augmentation: \{\}"):
        Training.model_validate(given)
