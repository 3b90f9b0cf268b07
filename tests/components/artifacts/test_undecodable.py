from __future__ import annotations

import pytest
import tensorflow as tf

from components.artifacts import features, undecodable
from components.artifacts.examples import serialized
from components.errors import DataError
from tests.explains import refused
from tests.serving.samples import png


def example(name: str, encoded: bytes) -> bytes:
    return serialized({features.ENCODED: encoded, features.FILENAME: name.encode()})


def fail() -> None:
    tf.io.decode_image(b"nothing")


WAYS_OUT = {"allowed": "The decoder refuses", "next": "remove them, and run --from ImageExampleGen"}


def test_pictures_on_which_a_step_ended_are_named() -> None:
    examples = [example("cat/1.png", png()), example("cat/2.gif", b"GIF"), example("a", b"x")]
    with (
        refused(DataError, found=r"of cat/2\.gif, a\.", **WAYS_OUT),
        undecodable.named(lambda: examples),
    ):
        fail()


def test_of_many_the_first_are_named_and_the_rest_counted() -> None:
    examples = [example(f"{number}.png", b"x") for number in range(12)]
    with (
        refused(DataError, found=r"4\.png and 7 more", **WAYS_OUT),
        undecodable.named(lambda: examples),
    ):
        fail()


def test_an_error_on_something_else_stays_what_it_is() -> None:
    examples = [example("cat/1.png", png())]
    with pytest.raises(tf.errors.InvalidArgumentError), undecodable.named(lambda: examples):
        fail()


def test_without_an_error_nothing_is_read() -> None:
    with undecodable.named(lambda: pytest.fail("read")):
        pass
