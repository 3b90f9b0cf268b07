from __future__ import annotations

import pytest

from components.artifacts.rate_interval import wilson


@pytest.mark.parametrize(
    ("right", "pictures", "expected"),
    [(8, 10, (0.4902, 0.9433)), (0, 10, (0.0, 0.2775)), (10, 10, (0.7225, 1.0))],
)
def test_the_interval_is_wilsons(right: int, pictures: int, expected: tuple[float, float]) -> None:
    assert wilson(right, pictures) == pytest.approx(expected, abs=1e-4)
