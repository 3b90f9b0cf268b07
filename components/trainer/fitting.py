"""From the pipeline's artifacts to the fitted network."""

from __future__ import annotations

import dataclasses
import functools
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import keras
import tensorflow as tf
from tfx.types import Artifact

from components.artifacts import features, saved_model, tfrecords
from components.artifacts import types as artifact_types
from components.artifacts.tfrecords import read_records
from components.fit.class_weights import balanced
from components.fit.optimizers import layer_decay
from components.fit.training_data import Data, bottleneck_batches, kept_data
from components.model import warm_start
from components.model.chosen_weights import weights_file
from components.model.network import Network, build_network, freeze, unfreeze
from components.model.transform_graph import Pixels
from components.pretrained.base import build_base, first_unfrozen
from components.settings.model import Model
from components.settings.training import Training
from components.trainer import activations
from components.trainer import input as trainer_input
from components.trainer.augmentation import Augmenter, write_sheet
from components.trainer.backup import Backup
from components.trainer.boundary import split_at
from components.trainer.distribution import all_agree
from components.trainer.learner import make_learner
from components.trainer.phases import Fit
from components.trainer.record import Record


@dataclasses.dataclass(frozen=True)
class Inputs:
    """What a training depends on."""

    model: Model
    training: Training
    classes: list[str]
    pixels: Pixels
    train: str
    """Folder of the training split's pictures."""
    eval: str
    bottlenecks: str | None = None
    """Folder of what BottleneckGen gave."""
    baseline: Sequence[Artifact] = ()
    """The model served now, where the training starts from it."""


@dataclasses.dataclass(frozen=True)
class Fitted:
    """What a training gives: the network with its best weights, and how it came to them."""

    network: Network
    record: Record


def fit(inputs: Inputs, logs: str, work: str, scratch: str | None = None) -> Fitted:
    """Fits in two phases.

    Args:
      inputs: the training.
      logs: folder of TensorBoard events and the sheet of augmented pictures.
      work: this training's own folder: what an earlier attempt left there is gone on from.
      scratch: local folder of what is large and of no use to another attempt; `work` if left out.
    """
    base = _base(inputs)
    # Before the head is made: it seeds its weights.
    keras.utils.set_random_seed(inputs.training.seed)
    network = build_network(base, inputs.model.head, len(inputs.classes))
    served = saved_model.served(inputs.baseline)
    if served:
        warm_start.restore_head(network.head, inputs.classes, served)
    return _Phases(inputs, network, logs, work, scratch or work).run()


def _base(inputs: Inputs) -> keras.Model:
    backbone, size = inputs.model.backbone, inputs.pixels.size
    if inputs.bottlenecks:
        kept = Path(inputs.bottlenecks, artifact_types.OWN_BASE)
        if kept.exists():  # what BottleneckGen ran was made there
            return build_base(backbone, size, kept)
    served = saved_model.served(inputs.baseline)
    weights = weights_file(inputs.model, served)
    if weights:
        return build_base(backbone, size, weights)
    seed = inputs.training.seed
    return warm_start.own_base(backbone, inputs.pixels, inputs.train, seed, served)


class _Phases:
    """The two phases over one network."""

    def __init__(self, inputs: Inputs, network: Network, logs: str, work: str, scratch: str):
        self._inputs = inputs
        self._network = network
        self._scratch = scratch
        training = inputs.training
        self._augmenter = None
        if training.augmentation.active:
            self._augmenter = Augmenter(training.augmentation, inputs.model.backbone, training.seed)
            write_sheet(self._augmenter, self._pixel_batches(read_records(inputs.train)), logs)
        self._fit = Fit(
            training.seed,
            self._class_weight(),
            training.label_smoothing,
            logs,
            Backup(work),
            self._augmenter,
        )

    def run(self) -> Fitted:
        training = self._inputs.training
        if training.frozen.epochs:
            self._frozen()
        if training.unfrozen.epochs:
            self._unfrozen()
        return Fitted(self._network, self._fit.record)

    def _frozen(self) -> None:
        freeze(self._network.base)
        settings = self._inputs.training.frozen
        if settings.features == "cached":
            learner = make_learner([self._network.head], None, None)
            data = self._bottlenecks()
        else:
            learner = make_learner([self._network.head], self._network.extractor, self._augmenter)
            data = self._pictures()
        self._fit.phase("frozen", learner, data, settings)

    def _unfrozen(self) -> None:
        base, model = self._network.base, self._inputs.model
        settings = self._inputs.training.unfrozen
        first = first_unfrozen(base, model.backbone, settings.from_layer)
        unfreeze(base, first, normalization=model.weights is None and first == 0)
        bottom, top = split_at(base, max(1, first))
        layers = [top, *self._network.pooling, self._network.head]
        kept = self._kept(bottom)
        if kept:
            learner = make_learner(layers, None, None)
        else:
            learner = make_learner(layers, bottom, self._augmenter)
        scales = layer_decay(base, first, settings.layer_decay)
        self._fit.phase("unfrozen", learner, kept or self._pictures(), settings, scales)

    def _kept(self, bottom: keras.Model) -> Data | None:
        """What the frozen layers give, from disk, where that spares work and fits."""
        training, folder = self._inputs.training, Path(self._scratch, "activations")
        flips = activations.flips(training.augmentation)
        if flips is None or training.unfrozen.epochs < 2 or not bottom.weights:
            return None
        splits = (
            (features.TRAIN, self._inputs.train, flips),
            (features.EVAL, self._inputs.eval, flips[:1]),
        )
        counts = {name: tfrecords.count(split) for name, split, _ in splits}
        rows = sum(counts[name] * len(variants) for name, _, variants in splits)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        budget = training.cache_budget_mb * 1_000_000
        if not all_agree(activations.fit_on_disk(bottom, rows, budget, folder)):
            return None
        kept = []
        for name, split, variants in splits:
            batches = self._pixel_batches(read_records(split))
            kept.append(activations.keep(bottom, batches, counts[name], folder, name, variants))
        train, validation = kept
        if train is None or validation is None:
            return None
        return kept_data(train, validation, training.batch_size, training.seed, len(flips))

    def _bottlenecks(self) -> Data:
        folder = self._inputs.bottlenecks or ""
        to_batches = functools.partial(
            bottleneck_batches,
            shape=self._network.head.input_shape[1:],
            classes=self._inputs.classes,
            batch_size=self._inputs.training.batch_size,
        )
        train, validation = (
            os.path.join(folder, f"Split-{split}") for split in (features.TRAIN, features.EVAL)
        )
        return self._read(train, validation, to_batches)

    def _pictures(self) -> Data:
        return self._read(self._inputs.train, self._inputs.eval, self._pixel_batches)

    def _read(self, train: str, validation: str, to_batches: trainer_input.ToBatches) -> Data:
        training = self._inputs.training
        return trainer_input.read_data(
            train, validation, to_batches, training.batch_size, training.seed
        )

    def _pixel_batches(self, examples: tf.data.Dataset) -> tf.data.Dataset:
        return trainer_input.picture_batches(
            examples, self._inputs.pixels, self._inputs.classes, self._inputs.training.batch_size
        )

    def _class_weight(self) -> dict[int, float] | None:
        if self._inputs.training.class_weights is None:
            return None
        weights = balanced(trainer_input.count_classes(self._inputs.train))
        return {self._inputs.classes.index(name): weight for name, weight in weights.items()}
