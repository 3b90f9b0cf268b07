"""A training as plain data, so that its chief can hand it to the other workers as a file.

TFX runs one Trainer, which resolves its inputs and publishes its outputs. The other workers read
the same inputs from here, train with them, and publish nothing.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator

from tfx.dsl.io import fileio
from tfx.types import Artifact, standard_artifacts

from components.model.transform_graph import Pixels
from components.retries import waited_until
from components.settings.base import Section
from components.settings.model import Model
from components.settings.training import Training
from components.trainer.distribution import make_strategy
from components.trainer.training_inputs import TrainingInputs
from components.trainer.training_loop import fit

_FOLDER = ".workers"
_LONGEST_EXPORT = 600.0  # seconds


class Job(Section):
    """Settings and paths that a training depends on."""

    model: Model
    training: Training
    classes: list[str]
    transform_graph: str
    train: str
    eval: str
    bottlenecks: str | None
    counts: dict[str, int] = {}
    """Records by split."""
    baseline: list[str]
    """URIs of the model served now, where the training starts from it."""
    former_names: dict[str, list[str]] = {}
    """Earlier names of classes, the latest first: the model served now may know them by these."""

    def inputs(self) -> TrainingInputs:
        """Returns what `fit` takes; loads the Transform graph."""
        return TrainingInputs(
            model=self.model,
            training=self.training,
            classes=self.classes,
            pixels=Pixels(self.transform_graph),
            train=self.train,
            eval=self.eval,
            bottlenecks=self.bottlenecks,
            counts=self.counts,
            baseline=[_model(uri) for uri in self.baseline],
            former_names=self.former_names,
        )


class _Offer(Section):
    """The file that the chief writes for the other workers."""

    job: Job
    work: str


def _model(uri: str) -> Artifact:
    artifact = standard_artifacts.Model()
    artifact.uri = uri
    return artifact


def offer_path(pipeline_root: str, node_id: str, run_id: str) -> str:
    """Returns the file by which the chief of a run's Trainer hands its job on."""
    return os.path.join(pipeline_root, node_id, _FOLDER, f"{run_id}.json")


@contextlib.contextmanager
def offered(job: Job, work: str, path: str) -> Iterator[None]:
    """Hands the job to other workers for as long as it takes, where there are any.

    Args:
      job: the training.
      work: the chief's folder, from which all resume after a kill.
      path: as `offer_path` returns it.
    """
    if job.training.distribution != "multi_worker":
        yield
        return
    fileio.makedirs(os.path.dirname(path))
    with fileio.open(f"{path}.new", "w") as file:
        file.write(_Offer(job=job, work=work).model_dump_json())
    fileio.rename(f"{path}.new", path, overwrite=True)
    try:
        yield
    finally:
        fileio.remove(path)


def take(path: str) -> None:
    """Trains as one of the other workers, and leaves nothing behind.

    Stays until the chief is done: TensorFlow would report a worker that left as failed.

    Args:
      path: of what the chief offers.
    """
    with fileio.open(path, "r") as file:
        offer = _Offer.model_validate_json(file.read())
    job = offer.job
    with (
        tempfile.TemporaryDirectory() as scratch,
        make_strategy(job.training).scope(),
    ):
        fit(job.inputs(), os.path.join(scratch, "logs"), offer.work, scratch)
    waited_until(lambda: not fileio.exists(path), _LONGEST_EXPORT)
