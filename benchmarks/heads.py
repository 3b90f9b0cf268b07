"""Phase `frozen` with its defaults against a logistic regression on the very same features.

Five real sets, each in five folds. Features are BottleneckGen's, as the pipeline runs it on a
configuration that sets nothing but the data. Of what a fold leaves, a ninth is the split `eval`, as
with the default splits. The head is fitted by the Trainer's own loop, on `train`, and `eval`
chooses the epoch; the logistic regression (scikit-learn, standardised) is fitted on `train`, too,
and cross-validation within it chooses its L2 penalty. The fold's pictures, which neither has seen,
judge. A further column has the regression on `train` and `eval` together: what the pictures are
worth that `eval` keeps back.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
import warnings
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.preprocessing import StandardScaler

from benchmarks.figures import say, show_bound, show_table
from benchmarks.ingested import Unwatched
from benchmarks.picture_sets import SETS, picture_set
from serving.quiet_imports import quiet_import

with quiet_import():
    import keras

    from pipeline import local_runner

from components.artifacts import features
from components.artifacts.tfrecords import read_records
from components.fit.training_data import Kept, bottleneck_batches, kept_batches, kept_data
from components.model.network import build_head
from components.model.standardization import set_statistics
from components.settings.model import Head
from components.settings.training import Training
from components.trainer.learner import make_learner
from components.trainer.phases import Phase, Prepared
from components.trainer.training_loop import TrainingLoop
from components.trainer.training_state import TrainingState
from pipeline.commands import preflight_network
from pipeline.commands import run as run_command
from pipeline.commands.console import quiet
from pipeline.store import outputs, root

_FOLDS = 5
_POINTS = 1.0  # of accuracy, in the mean
_PENALTIES = np.logspace(-5, -1, 5)  # inverse ones, as scikit-learn has them
_SPLITS = "data.splits={train: 10, eval: 10, test: 1}"  # the last one has no features


@dataclasses.dataclass(frozen=True)
class Rows:
    """Pictures by their features.

    Attributes:
      values: [pictures, features].
      labels: [pictures] positions of their classes.
      classes: how many there are.
    """

    values: np.ndarray
    labels: np.ndarray
    classes: int

    def at(self, places: np.ndarray) -> Rows:
        """Returns the pictures at these places."""
        return dataclasses.replace(self, values=self.values[places], labels=self.labels[places])

    def kept(self) -> Kept:
        """Returns them as the Trainer's data."""
        return Kept([self.values], np.eye(self.classes, dtype=np.float32)[self.labels])


def main() -> None:
    """Measures both on every set."""
    rows, differences = [], []
    for name in SETS:
        found = cached_features(picture_set(name))
        accuracies = np.array([_accuracies(found, *fold) for fold in folds(found)])
        head, regression, on_more = 100 * accuracies.mean(axis=0)
        apart = 100 * (accuracies[:, 0] - accuracies[:, 1])
        differences.append(apart.mean())
        facts = [str(len(found.labels)), str(found.classes), f"{head:.2f}", f"{regression:.2f}"]
        difference = f"{apart.mean():+.2f} ± {apart.std(ddof=1):.2f}"
        rows.append([name, *facts, difference, f"{on_more:.2f}"])
        say(" ".join(rows[-1]))
    columns = ["", "pictures", "classes", "phase frozen", "logistic regression", "difference"]
    columns.append("regression on `train` and `eval`")
    title = f"Accuracy in % on pictures not seen, mean of {_FOLDS} folds; defaults everywhere"
    show_table(title, columns, rows)
    mean = float(np.mean(differences))
    text = f"in the mean of the sets: {mean:+.2f} points; {-_POINTS:+.2f} is allowed"
    show_bound(text, mean >= -_POINTS - 1e-9)


def cached_features(pictures: Path) -> Rows:
    """Runs the pipeline on a folder as far as BottleneckGen and returns what it cached."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        request = run_command.Request(data=str(pictures), root=scratch, assignments=[_SPLITS])
        config = preflight_network.with_weights_at_hand(run_command.build_config(request), say)
        with quiet(Path(scratch, "log"), to_stderr=True):
            run = local_runner.run(
                config, Unwatched(), root.new_run_id(), to_node=outputs.BOTTLENECKS[0]
            )
            classes = run.document(outputs.CLASS_LIST, "classes.json")
        folder = run.outputs[outputs.BOTTLENECKS].uri
        splits = [
            kept_batches(
                bottleneck_batches(
                    read_records(os.path.join(folder, f"Split-{split}")), [2048], classes, 64
                )
            )
            for split in (features.TRAIN, features.EVAL)
        ]
    values = np.concatenate([split.arrays[0] for split in splits])
    labels = np.concatenate([split.labels for split in splits]).argmax(axis=1)
    return Rows(values, labels, len(classes))


def folds(found: Rows) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Returns the places of `train`, of `eval`, and of what judges, for each fold."""
    shuffled = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    parts = []
    for known, judging in shuffled.split(found.values, found.labels):
        train, judged = train_test_split(
            known, test_size=1 / 9, stratify=found.labels[known], random_state=0
        )
        parts.append((train, judged, judging))
    return parts


def _accuracies(
    found: Rows, train: np.ndarray, judged: np.ndarray, judging: np.ndarray
) -> tuple[float, float, float]:
    known = found.at(np.concatenate([train, judged]))
    test = found.at(judging)
    return (
        frozen_accuracy(
            found.at(train),
            found.at(judged),
            test,
            Head().fitted_to(Training().frozen.epochs),
            Training(),
        ),
        regression_accuracy(found.at(train), test),
        regression_accuracy(known, test),
    )


def frozen_accuracy(train: Rows, judged: Rows, test: Rows, head: Head, training: Training) -> float:
    """Fits a head as the Trainer's phase `frozen` does and returns its accuracy on `test`."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(training.seed)
    model = build_head(head, train.values.shape[1:], train.classes)
    if head.standardize:
        set_statistics(model, [train.values])
    data = kept_data(train.kept(), judged.kept(), training.batch_size, training.seed)
    prepared = Prepared(learner=make_learner([model], None, None), data=data)
    with tempfile.TemporaryDirectory() as scratch:
        loop = TrainingLoop(
            state=TrainingState(), work=scratch, logs=f"{scratch}/events", seed=training.seed
        )
        loop.run([Phase("frozen", training.frozen, lambda: prepared)])
    scores = keras.ops.convert_to_numpy(model(test.values))  # predict() would trace each model
    return float((scores.argmax(axis=1) == test.labels).mean())


def regression_accuracy(known: Rows, test: Rows) -> float:
    """Fits a cross-validated logistic regression and returns its accuracy on `test`.

    On the standardised features' principal components, all of them: that turns the features, which
    changes no L2-penalised regression and makes fewer columns of them.
    """
    scaler = StandardScaler().fit(known.values.astype(np.float64))
    values, unseen = scaler.transform(known.values), scaler.transform(test.values)
    _, _, axes = np.linalg.svd(values, full_matrices=False)
    regression = LogisticRegressionCV(Cs=_PENALTIES, cv=3, max_iter=200)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of the weakest penalties
        regression.fit(values @ axes.T, known.labels)
    return float(regression.score(unseen @ axes.T, test.labels))
