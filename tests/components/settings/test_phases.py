from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from components.settings.augmentation import Augmentation
from components.settings.training import Training

FLIPS = {"horizontal_flip": True}


def test_a_phase_changes_pictures_its_own_way_or_that_of_both() -> None:
    training = Training.model_validate(
        {"augmentation": FLIPS, "frozen": {"augmentation": {}}, "unfrozen": {}}
    )
    assert not training.augmentation_of("frozen").active
    assert training.augmentation_of("unfrozen").horizontal_flip


@pytest.mark.parametrize(
    "given",
    [
        {"augmentation": {**FLIPS, "zoom": 0.1}},
        {"frozen": {"augmentation": {"rotation": 10}}},
    ],
)
def test_cached_features_of_changed_pictures_are_refused_with_both_ways_out(
    given: dict[str, object],
) -> None:
    with pytest.raises(ValidationError, match=r"features: end_to_end.*frozen.augmentation: \{\}"):
        Training.model_validate(given)


def test_flips_alone_can_be_cached() -> None:
    assert Training.model_validate({"augmentation": FLIPS}).frozen.features == "cached"


@pytest.mark.parametrize(
    ("augmentation", "expected"),
    [
        ({}, [[]]),
        ({"horizontal_flip": True}, [[], [2]]),
        ({"vertical_flip": True, "horizontal_flip": True}, [[], [1], [2], [1, 2]]),
        ({"horizontal_flip": True, "rotation": 5}, None),
    ],
)
def test_flips_have_as_many_variants_as_there_are_ways(
    augmentation: dict[str, Any], expected: list[list[int]] | None
) -> None:
    assert Augmentation.model_validate(augmentation).flips() == expected
