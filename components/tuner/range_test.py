"""The learning-rate range test of phase `frozen`, on cached features."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from components.errors import TrainingError
from components.fit.losses import weighted
from components.fit.optimizers import build_optimizer
from components.model.network import build_extractor
from components.pretrained.base import build_base
from components.settings.model import Model
from components.settings.training import Schedule, Training
from components.tuner.bottlenecks import Bottlenecks, read_bottlenecks
from components.tuner.rate_range import STEPS, Curve, sweep
from components.tuner.trial import compiled_head

_JUDGED = 512  # pictures of `eval`; more would not change the curve that can be seen


def range_test(
    bottlenecks: str, classes: Sequence[str], model: Model, size: list[int], training: Training
) -> Curve:
    """Fits the configured head anew, batch by batch, while the rate rises.

    Args:
      bottlenecks: folder of the Bottlenecks artifact.
      classes: the class list.
      model: the network; its weights do not count here.
      size: height and width in pixels.
      training: of it phase `frozen` and what both phases share; schedule and rate do not count.

    Raises:
      TrainingError: the loss is NaN or infinite even at the lowest rate.
    """
    base = build_base(model.backbone, size, None)
    shape = build_extractor(base, model.head, model.features).output_shape[1:]
    with tempfile.TemporaryDirectory() as folder:
        data = read_bottlenecks(bottlenecks, shape, classes, training, Path(folder))
        curve = _sweep(data, model, training)
    if not curve.losses:
        raise TrainingError(
            "The loss is NaN at any rate: the features that BottleneckGen wrote can't be "
            "used. Look at model.weights, or try another backbone."
        )
    return curve


def _sweep(bottlenecks: Bottlenecks, model: Model, training: Training) -> Curve:
    phase = training.frozen.model_copy(update={"schedule": Schedule(), "ema": None})
    steps = bottlenecks.data.steps
    head = compiled_head(bottlenecks, model.head, training, build_optimizer(phase, steps))
    class_weight = bottlenecks.class_weights() if training.class_weights else None
    batches = iter(weighted(bottlenecks.data.epochs(0, 1 + STEPS // steps), class_weight))
    judged = (bottlenecks.validation.arrays[0][:_JUDGED], bottlenecks.validation.labels[:_JUDGED])

    def fit_batch(rate: float) -> float:
        """Not the batch's own loss: batches differ more than a small step changes."""
        head.optimizer.learning_rate = rate
        head.train_on_batch(*next(batches))
        head.reset_metrics()
        return float(head.test_on_batch(*judged, return_dict=True)["loss"])

    return sweep(fit_batch)
