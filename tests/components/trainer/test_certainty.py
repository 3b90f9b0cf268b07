from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from components.settings.export import Certain, Served
from components.trainer.certainty import ALWAYS, NEVER, distance_threshold, score_threshold
from components.trainer.feature_distance import FeatureDistance
from components.trainer.scoring import Outputs, fit_scoring


def test_what_is_answered_is_right_as_often_as_asked_in_the_mean_over_many_draws() -> None:
    random = np.random.default_rng(0)
    rates, shares = [], []
    for _ in range(400):
        score = random.uniform(0.3, 1, 300)
        correct = random.uniform(size=300) < score  # a calibrated model, 65 % right
        threshold = score_threshold(score, correct, 0.9)
        # Of all scores over the threshold, the mean is the accuracy.
        rates.append((1 + min(threshold, 1)) / 2)
        shares.append(max(0, (1 - threshold) / 0.7))
    assert np.average(rates, weights=shares) >= 0.9
    assert np.mean(shares) > 0.15  # 2/7 would be the most


def test_too_few_pictures_or_too_many_mistakes_make_nothing_certain() -> None:
    assert score_threshold(np.full(18, 0.9), np.ones(18, bool), 0.95) == NEVER
    assert score_threshold(np.full(19, 0.9), np.ones(19, bool), 0.95) == ALWAYS
    assert score_threshold(np.linspace(0, 1, 100), np.zeros(100, bool), 0.5) == NEVER
    assert score_threshold(np.zeros(0), np.zeros(0, bool), 0.5) == NEVER


def test_where_all_may_be_answered_the_lowest_score_counts_if_few_enough_are_lost_by_it() -> None:
    score = np.linspace(0.5, 1, 39)
    assert score_threshold(score, np.ones(39, bool), 0.95) == 0.5
    assert score_threshold(score[1:], np.ones(38, bool), 0.95) == ALWAYS


@pytest.mark.parametrize("pictures", [25, 38, 48, 200])
def test_of_known_pictures_95_of_100_are_certain_in_the_mean_and_few_of_a_class_never_seen(
    pictures: int,
) -> None:
    random = np.random.default_rng(0)
    means = 3 * np.eye(3, 16)
    asked = Served(certain=Certain(accuracy=0.95))
    certain, strangers = [], []

    def drawn(mean: np.ndarray, count: int, labels: np.ndarray) -> Outputs:
        features = mean[labels] + random.normal(0, 0.3, (count, 16))
        scores = np.exp(features @ means.T)
        return Outputs(scores / scores.sum(axis=1, keepdims=True), features, labels)

    for _ in range(60):
        evaluated, train, known = (
            drawn(means, count, random.integers(0, 3, count)) for count in (pictures, 150, 100)
        )
        unseen = drawn(3 * np.eye(1, 16, 9), 50, np.zeros(50, int))
        scoring, _facts = fit_scoring(asked, evaluated, train)
        for found, to in ((known, certain), (unseen, strangers)):
            answer = scoring(tf.constant(found.scores), tf.constant(found.features, tf.float32))
            to.append(answer["certain"].numpy().mean())
    assert np.mean(certain) >= 0.95
    assert np.mean(strangers) <= 0.2


def test_equal_scores_are_answered_together_or_not_at_all() -> None:
    score = np.repeat([0.9, 0.8], 40)
    correct = np.append(np.ones(60, bool), np.zeros(20, bool))
    assert score_threshold(score, correct, 0.95) == 0.9


def test_a_distance_threshold_counts_the_next_picture_as_the_farthest() -> None:
    assert distance_threshold(np.zeros(0)) == np.inf
    assert distance_threshold(np.arange(20.0)) == 19
    assert distance_threshold(np.arange(49.0)) == 48
    assert distance_threshold(np.arange(999.0)) == 979


def clusters(random: np.random.Generator, means: np.ndarray, each: int) -> np.ndarray:
    noise = random.normal(0, 0.3, (len(means) * each, means.shape[1]))
    return np.repeat(means, each, axis=0) + noise


def test_features_of_a_class_never_seen_are_far_and_those_of_known_ones_are_not() -> None:
    random = np.random.default_rng(1)
    means = np.abs(random.normal(0, 1, (4, 512)))
    known, unseen = means[:3], means[3:]
    distance = FeatureDistance.fit(clusters(random, known, 60), np.repeat([0, 1, 2], 60))

    def of(features: np.ndarray) -> np.ndarray:
        return distance.of(tf.constant(features, tf.float32)).numpy()

    threshold = distance_threshold(of(clusters(random, known, 40)))
    assert (of(clusters(random, known, 100)) <= threshold).mean() >= 0.95
    assert (of(clusters(random, unseen, 100)) > threshold).mean() >= 0.8


def test_distances_are_found_where_features_are_few_or_do_not_vary() -> None:
    features = np.ones((6, 3))
    features[3:, 0] = 2
    found = FeatureDistance.fit(features, np.array([0, 0, 0, 2, 2, 2])).of(
        tf.constant([[1.0, 1, 1], [0, 0, 0]])
    )
    assert np.isfinite(found).all()
    assert found[0] < found[1]
