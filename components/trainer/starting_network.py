"""The network before its first epoch: published, served or random weights, and a new head."""

from __future__ import annotations

from pathlib import Path

import keras

from components.artifacts import saved_model
from components.artifacts import types as artifact_types
from components.model import warm_start
from components.model.chosen_weights import weights_file
from components.model.network import Network, build_network
from components.pretrained.base import build_base
from components.trainer.training_inputs import TrainingInputs


def starting_network(inputs: TrainingInputs) -> Network:
    """Returns the network with the weights that its training starts from."""
    base = _base(inputs)
    # Before the head is made: it seeds its weights.
    keras.utils.set_random_seed(inputs.training.seed)
    network = build_network(base, inputs.model.head, len(inputs.classes))
    served = saved_model.served(inputs.baseline)
    if served:
        warm_start.restore_head(
            network.head, inputs.classes, served, former_names=inputs.former_names
        )
    return network


def _base(inputs: TrainingInputs) -> keras.Model:
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
