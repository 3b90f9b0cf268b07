from __future__ import annotations

import dataclasses

import pytest

from components.artifacts import features
from components.errors import ConfigError, DataError
from components.image_example_gen.sources import SourceFile
from components.image_example_gen.sources.training_values import (
    check_training_values,
    training_values,
)
from components.settings.data import Data
from tests.explains import refused

DATA = Data(source="cells.csv", label_probability="Sure", weight="kg")
FILE = SourceFile("/p/a.png", "a.png", "cat", 1, 1, columns=(("sure", "0.75"), ("kg", "2")))


def with_columns(**columns: str) -> SourceFile:
    return dataclasses.replace(FILE, columns=tuple(columns.items()))


def test_values_come_by_feature_and_those_of_1_are_left_out() -> None:
    assert training_values(FILE, DATA) == {features.LABEL_PROBABILITY: 0.75, features.WEIGHT: 2.0}
    assert training_values(with_columns(sure="1.0"), DATA) == {}  # an empty cell is in no column
    assert training_values(FILE, Data(source="cells.csv")) == {}


@pytest.mark.parametrize(
    ("columns", "found", "allowed"),
    [
        ({"sure": "1.01", "kg": "1"}, "'1.01'", "needed is a number from 0 to 1"),
        ({"sure": "high", "kg": "1"}, "'high'", "needed is a number from 0 to 1"),
        ({"sure": "nan", "kg": "1"}, "'nan'", "needed is a number from 0 to 1"),
        ({"sure": "1", "kg": "0"}, "'0'", "needed is a number over 0"),
        ({"sure": "1", "kg": "inf"}, "'inf'", "needed is a number over 0"),
        ({"sure": "1", "kg": "1e39"}, "'1e39'", "from 1e-30 to 1e30"),
        ({"sure": "1", "kg": "1e-50"}, "'1e-50'", "from 1e-30 to 1e30"),
    ],
)
def test_a_value_that_cant_be_used_is_refused_with_its_picture(
    columns: dict[str, str], found: str, allowed: str
) -> None:
    with refused(
        DataError,
        found=f"a.png: found {found}",
        allowed=allowed,
        next="Correct them",
    ):
        check_training_values([FILE, with_columns(**columns)], DATA)


def test_a_column_that_is_not_there_is_refused_with_those_that_are() -> None:
    with refused(
        ConfigError,
        found="data.weight: no column 'kg'",
        allowed="there are camera, sure",
        next="name one of these",
    ):
        check_training_values([with_columns(sure="1", camera="b")], DATA)
    check_training_values([with_columns(camera="b")], Data(source="cells.csv"))
