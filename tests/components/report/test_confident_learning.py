from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from components.fit.linear_heads import out_of_fold
from components.report.confident_learning import ranked


def flipped(labels: np.ndarray, share: float, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns labels of which a share is another class, and which these are."""
    random = np.random.default_rng(1)
    chosen = random.choice(len(labels), round(share * len(labels)), replace=False)
    given = labels.copy()
    given[chosen] = (given[chosen] + random.integers(1, classes, len(chosen))) % classes
    return given, chosen


def blobs(classes: int, per_class: int, features: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    centres = random.normal(0, 1, (classes, features))
    labels = np.repeat(np.arange(classes), per_class)
    return centres[labels] * 0.4 + random.normal(0, 1, (len(labels), features)), labels


@pytest.mark.parametrize("kind", ["digits", "two classes", "unequal classes", "many features"])
def test_most_flipped_labels_are_among_the_first_tenth_of_the_doubts(kind: str) -> None:
    if kind == "digits":
        found = load_digits()
        values, labels = found.data, found.target
    elif kind == "many features":
        values, labels = blobs(4, 100, 2048)
    else:
        values, labels = blobs(2, 400, 100)
    if kind == "unequal classes":
        values, labels = values[:450], labels[:450]
    classes = int(labels.max()) + 1
    given, wrong = flipped(labels, 0.05, classes)
    judged = ranked(out_of_fold(values, given, classes), given)
    order = np.lexsort((judged.margin, ~judged.in_doubt))
    first = {*order[: len(labels) // 10].tolist()}
    assert len(first & {*wrong.tolist()}) >= 0.8 * len(wrong)
    suggested = judged.suggested[wrong] == labels[wrong]
    assert suggested.mean() > 0.8


def test_a_clean_set_has_hardly_any_doubts() -> None:
    values, labels = blobs(3, 200, 200)
    judged = ranked(out_of_fold(values, labels, 3), labels)
    assert judged.in_doubt.mean() < 0.02


def test_no_picture_is_judged_by_a_head_that_saw_an_equal_one() -> None:
    random = np.random.default_rng(0)
    values = np.repeat(random.normal(size=(100, 300)), 2, axis=0)
    labels = np.repeat(random.integers(0, 2, 100), 2)  # of noise: nothing can be learnt but by rote
    own = np.arange(len(labels))
    together = [str(number // 2) for number in range(200)]
    honest = out_of_fold(values, labels, 2, together)[own, labels]
    rote = out_of_fold(values, labels, 2)[own, labels]
    assert (honest > 0.5).mean() < 0.65 < 0.8 < (rote > 0.5).mean()


def test_probabilities_add_up_and_do_not_depend_on_chance() -> None:
    values, labels = blobs(3, 30, 600)
    scores = out_of_fold(values, labels, 3)
    assert scores.shape == (90, 3)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(scores, out_of_fold(values, labels, 3))


def test_features_that_never_change_and_classes_without_a_picture_are_no_fault() -> None:
    values, labels = blobs(2, 30, 20)
    values[:, 3] = 7.0
    judged = ranked(out_of_fold(values, labels, 4), labels)
    assert {*judged.suggested[judged.in_doubt].tolist()} <= {0, 1}
