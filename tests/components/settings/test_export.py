from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from components.settings.export import AS_FITTED, Export, Served


@pytest.mark.parametrize(
    ("value", "flips"),
    [
        (True, ["horizontal", "vertical"]),
        (False, []),
        (["vertical"], ["vertical"]),
    ],
)
def test_flips_are_directions_or_all_or_none(value: Any, flips: list[str]) -> None:
    assert Export.model_validate({"average_flips": value}).average_flips == flips


@pytest.mark.parametrize("value", [["horizontal", "horizontal"], ["diagonal"], "both", 4])
def test_other_flips_are_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        Export.model_validate({"average_flips": value})


def test_the_part_that_decides_the_saved_model_knows_nothing_of_the_files_for_devices() -> None:
    assert Export(tflite=["int8"], min_agreement=0.5).served == AS_FITTED
    asked = Export(precision="bfloat16", average_flips=["vertical"], training_weights=False)
    assert asked.served == Served(
        precision="bfloat16", average_flips=["vertical"], training_weights=False
    )
    assert AS_FITTED.plain
    assert not asked.served.plain
