from __future__ import annotations

import collections
import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.settings.model import Head
from components.settings.tuner import Tuner
from components.step import progress
from components.tuner.search import Search, space
from components.tuner.trial import Diverged

BEST_RATE = 0.004
Tell = Callable[[int], None]


def bowl(values: dict[str, Any], epochs: int, tell: Tell) -> dict[str, float]:
    """A loss that is least for 64 units, no dropout and the best rate, and falls by the epoch."""
    for epoch in range(epochs):
        tell(epoch + 1)
    off = abs(math.log10(values["learning_rate"] / BEST_RATE)) + values["dropout"]
    loss = off + abs(values["units"] - 64) / 64 + 1 / epochs
    return {"val_loss": loss, "val_accuracy": 1 / (1 + loss)}


def search(folder: Path, seed: int = 0, attempt: Any = bowl, **settings: Any) -> Search:
    found = {"trials": 12, "units": [0, 32, 64, 128], **settings}
    made = Search(Tuner.model_validate(found), Head(), 9, seed, attempt, folder / str(seed))
    made.search(verbose=0)
    return made


def test_what_is_searched_is_what_is_configured() -> None:
    searched = space(Tuner(units=[0, 8], dropout=None, learning_rate=[0.001, 0.1]), Head())
    configurations = {each.name: each.get_config() for each in searched.space}
    assert list(configurations) == ["units", "learning_rate"]
    assert configurations["units"]["values"] == [0, 8]
    rate = configurations["learning_rate"]
    assert [rate[key] for key in ("min_value", "max_value", "sampling")] == [0.001, 0.1, "log"]


@pytest.mark.parametrize("algorithm", ["random", "bayesian", "hyperband"])
def test_every_algorithm_tries_as_many_and_stays_within_the_bounds(
    tmp_path: Path, algorithm: str
) -> None:
    trials = search(tmp_path, algorithm=algorithm).trials()
    assert len(trials) == 12
    scores = [trial["score"] for trial in trials]
    assert scores == sorted(scores)
    for trial in trials:
        assert set(trial["values"]) == {"units", "dropout", "learning_rate"}
        assert trial["values"]["units"] in (0, 32, 64, 128)
        assert 0 <= trial["values"]["dropout"] <= 0.6
        assert 0.0001 <= trial["values"]["learning_rate"] <= 0.1


def test_hyperband_gives_only_the_good_ones_all_epochs(tmp_path: Path) -> None:
    trials = search(tmp_path, algorithm="hyperband", trials=13).trials()
    assert collections.Counter(trial["epochs"] for trial in trials) == {1: 9, 3: 3, 9: 1}
    assert trials[0]["epochs"] == 9


def test_bayesian_search_comes_closer_than_its_random_beginning(tmp_path: Path) -> None:
    trials = search(tmp_path, trials=16).trials()
    beginning = [trial["score"] for trial in trials if int(trial["trial_id"]) < 9]
    assert trials[0]["score"] < min(beginning)


def test_the_same_seed_tries_the_same(tmp_path: Path) -> None:
    one, again, other = (
        search(tmp_path / name, seed, trials=10).trials()
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert one == again
    assert [trial["values"] for trial in one] != [trial["values"] for trial in other]


def test_trials_that_diverge_are_told_and_the_search_goes_on(tmp_path: Path) -> None:
    def fragile(values: dict[str, Any], epochs: int, tell: Tell) -> dict[str, float]:
        if values["units"] != 64:
            raise Diverged
        return bowl(values, epochs, tell)

    trials = search(tmp_path, attempt=fragile, algorithm="random").trials()
    assert len(trials) == 12
    done = [trial for trial in trials if trial["score"] is not None]
    assert 0 < len(done) < 8
    assert trials[: len(done)] == done
    assert {trial["values"]["units"] for trial in done} == {64}


def test_a_fault_of_the_program_ends_the_search(tmp_path: Path) -> None:
    def broken(*_: Any) -> dict[str, float]:
        raise MemoryError("no room")

    with pytest.raises(Exception, match="MemoryError: no room"):
        search(tmp_path, attempt=broken)


def test_it_tells_how_far_it_has_come(tmp_path: Path) -> None:
    told: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = told.append  # type: ignore[method-assign]
    progress.LOGGER.addHandler(handler)
    try:
        best = search(tmp_path, trials=2).trials()
    finally:
        progress.LOGGER.removeHandler(handler)
    first, last = told[0], told[-1]
    assert first.getMessage() == "trials, none finished; now epoch 1 of 9"
    assert (last.done, last.total) == (1, 2)
    assert any(f"{trial['score']:.4f}" in last.getMessage() for trial in best)
