from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.infra_validator.trial import difference, find_fault
from serving.client import Prediction
from tests.serving.samples import jpeg
from tests.serving.tiny_model import export

OWN = Prediction(("cat", "dog"), (0.7, 0.3))


def test_answers_within_the_tolerance_are_equal() -> None:
    assert difference([OWN], [OWN]) is None
    assert difference([Prediction(("cat", "dog"), (0.70009, 0.29991))], [OWN]) is None


def test_near_ties_may_change_places() -> None:
    served = Prediction(("dog", "cat"), (0.50001, 0.49999))
    assert difference([served], [Prediction(("cat", "dog"), (0.50001, 0.49999))]) is None


@pytest.mark.parametrize(
    ("served", "fault"),
    [
        (Prediction(("cat", "dog"), (0.7002, 0.2998)), "'cat' is 0.700200 from the server and 0.7"),
        (Prediction(("dog", "cat"), (0.7, 0.3)), "'cat' is 0.300000"),
        (Prediction(("cat", "cow"), (0.7, 0.3)), "classes are ['cat', 'cow'], the model's own"),
        (Prediction(("cat", "dog"), (math.nan, math.nan)), "'cat' is nan"),
    ],
)
def test_another_answer_is_a_fault_that_names_picture_and_class(
    served: Prediction, fault: str
) -> None:
    found = difference([OWN, served], [OWN, OWN])
    assert found is not None
    assert found.startswith("Picture 2: ")
    assert fault in found


def test_scores_that_are_no_numbers_are_a_fault_even_where_both_agree() -> None:
    broken = Prediction(("cat", "dog"), (math.nan, math.nan))
    assert difference([broken], [broken]) is not None


def test_the_server_ends_with_an_interrupted_trial(tmp_path: Path) -> None:
    before = set(_own_servers())  # other tests of this process may keep some

    class Interrupted(list):
        seen = False

        def __iter__(self) -> Iterator[bytes]:
            self.seen = set(_own_servers()) > before
            if self.seen:  # the session is tried first
                raise KeyboardInterrupt
            return super().__iter__()

    pictures = Interrupted([jpeg()])
    with pytest.raises(KeyboardInterrupt):
        find_fault(export(tmp_path / "model"), pictures)
    assert pictures.seen
    assert set(_own_servers()) <= before


_SERVERS = ("serving.trial_worker", "tensorflow_model_server")


def _own_servers() -> list[int]:
    """The process ids of servers that this process has started, ours or TensorFlow Serving's."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(folder.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            command = folder.joinpath("cmdline").read_text()
        except OSError:  # it has ended meanwhile
            continue
        if parent == os.getpid() and any(name in command for name in _SERVERS):
            found.append(int(folder.name))
    return found
