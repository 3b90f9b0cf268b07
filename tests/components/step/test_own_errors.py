"""An error that a data set's Python raises leaves every step as itself, not as TensorFlow's."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import tensorflow as tf

from components.artifacts.record_counts import RecordsLost
from components.errors import DataError, UserError
from components.settings.base import Section
from components.step.artifacts import Artifacts
from components.step.base import StepExecutor

TOLD = "found 3 rows\nof 4, in a message of two lines. Write them again."


class Nothing(Section):
    """No settings."""


class Reader(StepExecutor[Nothing]):
    """Reads a data set to its end."""

    SETTINGS = Nothing
    rows: Callable[[], tf.data.Dataset]

    def do(
        self, inputs: Artifacts, outputs: Artifacts, settings: Nothing, facts: dict[str, str]
    ) -> None:
        for _ in type(self).rows():
            pass


def _from_generator(error: Exception) -> tf.data.Dataset:
    def rows() -> Iterator[int]:
        yield 1
        raise error

    return tf.data.Dataset.from_generator(rows, output_signature=tf.TensorSpec((), tf.int64))


def _mapped(error: Exception) -> tf.data.Dataset:
    def row(_: np.ndarray) -> np.ndarray:
        raise error

    return tf.data.Dataset.range(3).map(lambda at: tf.numpy_function(row, [at], tf.int64))


def _read(make: Callable[[Exception], tf.data.Dataset], error: Exception) -> None:
    class Made(Reader):
        rows = staticmethod(lambda: make(error))

    Made(Made.Context()).Do({}, {}, {"settings": "{}"})


@pytest.mark.parametrize("make", [_from_generator, _mapped])
@pytest.mark.parametrize("kind", [DataError, RecordsLost])
def test_an_own_error_is_raised_with_its_kind_and_words(
    make: Callable[[Exception], tf.data.Dataset], kind: type[UserError]
) -> None:
    with pytest.raises(kind) as caught:
        _read(make, kind(TOLD))
    assert type(caught.value) is kind
    assert str(caught.value) == TOLD
    assert isinstance(caught.value.__cause__, tf.errors.OpError)


@pytest.mark.parametrize("make", [_from_generator, _mapped])
def test_other_errors_stay_tensorflows(make: Callable[[Exception], tf.data.Dataset]) -> None:
    with pytest.raises(tf.errors.OpError, match="no such row"):
        _read(make, ValueError("no such row"))


def test_an_error_that_only_quotes_an_own_one_stays_as_it_is() -> None:
    class Made(Reader):
        def do(self, *_: object) -> None:
            raise ValueError("components.errors.DataError: quoted")

    with pytest.raises(ValueError, match="quoted"):
        Made(Made.Context()).Do({}, {}, {"settings": "{}"})
