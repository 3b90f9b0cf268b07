"""The network before its first epoch: published, served or random weights, and a new head."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
from tfx.dsl.io import fileio

from components.artifacts import saved_model
from components.artifacts import types as artifact_types
from components.artifacts.tfrecords import read_records
from components.files.copies import on_this_machine
from components.model import warm_start
from components.model.chosen_weights import weights_file
from components.model.network import Network, build_network
from components.model.standardization import set_statistics
from components.pretrained.base import build_base
from components.trainer import phase_data
from components.trainer.training_inputs import TrainingInputs


def starting_network(inputs: TrainingInputs) -> Network:
    """Returns the network with the weights that its training starts from."""
    base = _base(inputs)
    # Before the head is made: it seeds its weights.
    keras.utils.set_random_seed(inputs.training.seed)
    model = inputs.model
    network = build_network(base, model.head, len(inputs.classes), model.features)
    served = saved_model.served(inputs.baseline)
    if served:
        warm_start.restore_head(
            network.head, inputs.classes, served, former_names=inputs.former_names
        )
    elif model.head.standardize:  # a served head goes with the statistics that it was fitted with
        set_statistics(network.head, _train_features(inputs, network))
    return network


def _train_features(inputs: TrainingInputs, network: Network) -> Iterator[np.ndarray]:
    """Yields the training split's features, batch by batch: those cached, or computed now."""
    if inputs.bottlenecks:
        for some, *_ in phase_data.train_bottlenecks(inputs, network.head):
            yield some.numpy()
        return
    for pixels, *_ in phase_data.pixel_batches(read_records(inputs.train), inputs):
        yield network.extractor(pixels, training=False).numpy()


def _base(inputs: TrainingInputs) -> keras.Model:
    backbone, size = inputs.model.backbone, inputs.pixels.size
    if inputs.bottlenecks:
        kept = os.path.join(inputs.bottlenecks, artifact_types.OWN_BASE)
        if fileio.exists(kept):  # what BottleneckGen ran was made there
            with on_this_machine(kept) as local:
                return build_base(backbone, size, Path(local))
    served = saved_model.served(inputs.baseline)
    weights = weights_file(inputs.model, served)
    if weights:
        return build_base(backbone, size, weights)
    seed = inputs.training.seed
    return warm_start.own_base(
        backbone, inputs.pixels, inputs.train, seed, served, inputs.model.features
    )
