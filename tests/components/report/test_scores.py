from __future__ import annotations

import dataclasses

import numpy as np

from components.artifacts.calibration import with_temperature
from components.artifacts.predictions import CANDIDATE
from components.report.page import render
from components.report.sections.certainty import curve
from tests.components.report.made_run import picture, run


def alternatives(html: str) -> list[str]:
    """The texts of the reliability diagrams."""
    return [part.partition('"')[0] for part in html.split("Reliability diagram. ")[1:]]


def test_the_calibration_before_the_temperature_is_told_beside_that_after_it() -> None:
    made = run()
    assert "temperature" not in render(made)
    assert made.predictions is not None
    scores = made.predictions.scores[CANDIDATE]
    cooled = with_temperature(scores, 4.0)
    predictions = dataclasses.replace(made.predictions, scores={CANDIDATE: cooled})
    found = dataclasses.replace(made, predictions=predictions, scoring={"temperature": 4.0})
    html = render(dataclasses.replace(found, pictures=dict.fromkeys(found.shown_files, picture())))
    assert "divided by the temperature 4" in html
    assert html.count("Reliability diagram.") == 2
    [as_fitted] = alternatives(render(made))
    after, before = alternatives(html)
    assert before == as_fitted != after


def test_what_is_certain_is_told_with_share_and_accuracy() -> None:
    made = run()
    assert "export.certain" in render(made) and "it answers" not in render(made)
    assert made.predictions is not None
    certain = np.arange(60) < 30
    predictions = dataclasses.replace(made.predictions, certain=certain)
    facts = {"accuracy": 0.95, "least_score": 0.7, "most_distance": None}
    html = render(dataclasses.replace(made, predictions=predictions, scoring={"certain": facts}))
    right = made.predictions.correct(CANDIDATE)[certain].mean()
    assert "it answers 50.0&nbsp;%" in html and f"{100 * right:.1f}&nbsp;% of them" in html
    nothing = dataclasses.replace(predictions, certain=np.zeros(60, bool))
    html = render(
        dataclasses.replace(
            made, predictions=nothing, scoring={"certain": {**facts, "least_score": None}}
        )
    )
    assert "it answers 0.0&nbsp;%" in html and "no score was enough" in html


def test_the_curve_answers_the_highest_scores_first() -> None:
    share, accuracy = curve(np.array([0.5, 0.9, 0.7]), np.array([False, True, True]))
    np.testing.assert_allclose(share, [1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(accuracy, [1, 1, 2 / 3])
