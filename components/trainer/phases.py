"""The two phases of a training: which layers are trainable in each, and on what they are fitted."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping

from components.artifacts.tfrecords import read_records
from components.fit.optimizers import layer_decay
from components.fit.training_data import Data
from components.model.network import Network, freeze, unfreeze
from components.model.twin import FLOAT32, twin
from components.pretrained.base import first_unfrozen
from components.settings.augmentation import Augmentation
from components.settings.training import Phase as PhaseSettings
from components.trainer import phase_cache, phase_data
from components.trainer.augmentation import Augmenter, write_sheet
from components.trainer.boundary import split_at
from components.trainer.learner import Learner, make_learner
from components.trainer.part_cache import BesideKept
from components.trainer.training_inputs import TrainingInputs


@dataclasses.dataclass(frozen=True, kw_only=True)
class Prepared:
    """A learner and its data, ready to be compiled and fitted."""

    learner: Learner
    data: Data
    augmenter: Augmenter | None = None
    """The random changes within the learner's training step."""
    rate_scales: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Factors of the learning rate, by the path of a variable; 1 where none is given."""
    precision: str = FLOAT32
    """In what trainable layers compute, the head apart."""


@dataclasses.dataclass(frozen=True)
class Phase:
    """One phase. It is prepared when its turn comes: it may start from what another one fitted."""

    name: str
    settings: PhaseSettings
    prepare: Callable[[], Prepared]


def make_phases(
    inputs: TrainingInputs, network: Network, logs: str, scratch: str, work: str
) -> list[Phase]:
    """Returns the phases of a network in their order.

    Args:
      inputs: of the training.
      network: is trained in all of them.
      logs: folder of the sheet of augmented pictures.
      scratch: local folder of cached activations.
      work: this training's own folder.
    """
    training = inputs.training
    before = (
        _augmenter(inputs, training.augmentation_of("frozen")) if training.frozen.epochs else None
    )
    after = (
        _augmenter(inputs, training.augmentation_of("unfrozen"))
        if training.unfrozen.epochs
        else None
    )
    if shown := after or before:
        write_sheet(shown, phase_data.pixel_batches(read_records(inputs.train), inputs), logs)
    frozen = functools.partial(_frozen, inputs, network, before, scratch)
    unfrozen = functools.partial(_unfrozen, inputs, network, after, scratch, work)
    return [
        Phase("frozen", inputs.training.frozen, frozen),
        Phase("unfrozen", inputs.training.unfrozen, unfrozen),
    ]


def _augmenter(inputs: TrainingInputs, settings: Augmentation) -> Augmenter | None:
    if not settings.active:
        return None
    return Augmenter(settings, inputs.model.backbone, inputs.training.seed)


def _frozen(
    inputs: TrainingInputs, network: Network, augmenter: Augmenter | None, scratch: str
) -> Prepared:
    """Freezes the base: the head alone is trainable."""
    freeze(network.base)
    if inputs.training.frozen.features == "cached":
        cached = (
            phase_cache.flipped_bottlenecks(inputs, network, scratch)
            if augmenter
            else phase_data.bottlenecks(inputs, network.head)
        )
        if cached:
            return Prepared(learner=make_learner([network.head], None, None), data=cached)
    extractor = twin(network.extractor, inputs.precision)
    learner = make_learner([network.head], extractor, augmenter)
    return Prepared(learner=learner, data=phase_data.pictures(inputs), augmenter=augmenter)


def _unfrozen(
    inputs: TrainingInputs,
    network: Network,
    augmenter: Augmenter | None,
    scratch: str,
    work: str,
) -> Prepared:
    """Unfreezes the top of the base: it is trainable together with the head."""
    base, model, settings = network.base, inputs.model, inputs.training.unfrozen
    first = first_unfrozen(base, model.backbone, settings.from_layer)
    unfreeze(base, first, normalization=model.weights is None and first == 0)
    bottom, top = split_at(base, max(1, first))
    layers = [twin(top, inputs.precision), *network.pooling, network.head]
    scales = layer_decay(base, first, settings.layer_decay)
    cached = phase_cache.cached_activations(inputs, bottom, scratch, work)
    if bottom.weights and not (cached and not cached.is_part):
        bottom = twin(bottom, inputs.precision)
    if cached:
        learner = make_learner(layers, BesideKept(bottom) if cached.is_part else None, None)
        return Prepared(
            learner=learner, data=cached.data, rate_scales=scales, precision=inputs.precision
        )
    return Prepared(
        learner=make_learner(layers, bottom, augmenter),
        data=phase_data.pictures(inputs),
        augmenter=augmenter,
        rate_scales=scales,
        precision=inputs.precision,
    )
