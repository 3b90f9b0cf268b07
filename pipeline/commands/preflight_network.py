"""Checks the network, its weights and what it is held against before any long work starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from components.errors import ConfigError
from components.files.paths import absolute, is_remote
from components.image_example_gen import listing_handover
from pipeline.config import Config
from serving import versions
from serving.names import shown, some
from serving.quiet_imports import quiet_import

if TYPE_CHECKING:
    import keras


def check_settings(config: Config) -> None:
    """Checks what needs no look at the pictures.

    Keras is loaded where `training.unfrozen.from_layer` or `model.features` names a layer, and only
    there.

    Raises:
      ConfigError: the weights file or the pinned version is missing, or the backbone has no such
        layer.
    """
    _check_weights(config)
    _check_reference(config)
    unfrozen = config.training.unfrozen
    if config.model.features is None and (unfrozen.from_layer is None or not unfrozen.epochs):
        return
    with quiet_import():
        from components.pretrained.base import build_base

        base = build_base(config.model.backbone, config.image_size, None)
        _check_layers(config, base)


def _check_weights(config: Config) -> None:
    weights = config.model.weights
    if weights in (None, "imagenet") or goes_on_from(config):
        return
    if not (path := Path(absolute(str(weights)))).is_file():
        raise ConfigError(
            f"model.weights: no file {shown(path)}. Allowed are an existing file, `imagenet`, or "
            "null: correct the path, or set one of the others."
        )


def _check_reference(config: Config) -> None:
    pinned = config.gate.reference
    if pinned in (None, "best"):
        return
    folder = config.push_directory
    found = versions.published(folder) if folder.is_dir() else []
    kept = [each.number for each in found if each.state in ("served", "older")]
    if pinned not in kept:
        raise ConfigError(
            f"gate.reference: {shown(folder)} keeps no version {pinned}; it keeps "
            f"{some(map(str, kept)) or 'none'}. Name one of them, or say `best`."
        )


def with_weights_at_hand(
    config: Config, say: Callable[[str], None], fetches: bool = True
) -> Config:
    """Returns a configuration whose ImageNet weights can be had, where the user named none.

    Keras' official file where its host answers; else a substitute, which `say` names. Nothing is
    fetched where the training starts from the model served now.

    Args:
      config: the whole configuration.
      say: shows people a sentence.
      fetches: downloads the official file; else its host is only asked for an answer.

    Raises:
      WeightsUnavailable: neither can be had.
    """
    from components.pretrained.official_weights import (
        WeightsUnavailable,
        imagenet_file,
        obtainable,
    )
    from components.pretrained.substitute_weights import SUBSTITUTE_NOTICE, substitute_file

    if "weights" in config.model.model_fields_set or goes_on_from(config):
        return config
    try:
        if fetches:
            imagenet_file(config.model.backbone)
        elif fault := obtainable(config.model.backbone):
            raise WeightsUnavailable(fault)
        return config
    except WeightsUnavailable as unavailable:
        try:
            substitute = substitute_file(config.model.backbone)
        except WeightsUnavailable:
            raise unavailable from None
    say(SUBSTITUTE_NOTICE)
    model = config.model.model_copy(update={"weights": str(substitute)})
    return config.model_copy(update={"model": model})


def goes_on_from(config: Config) -> Path | None:
    """Returns the version served now, where training starts from it, not from `model.weights`."""
    return versions.served(config.push_directory) if config.training.warm_start else None


def unknown_splits(config: Config) -> str | None:
    """Returns a sentence where the training goes on from a model whose splits are not known here.

    Pictures stay in the splits of earlier ingests, and those are known by the root alone.
    """
    served = goes_on_from(config)
    if served is None or is_remote(config.pipeline_root):
        return None
    from components.artifacts.types import FILES, IngestReport
    from components.step.earlier_outputs import newest_first

    reports = f"{listing_handover.node_in(config.pipeline_root)}/ingest_report"
    if newest_first(reports, FILES[IngestReport]):
        return None
    return (
        f"training.warm_start: version {served.name} is served, and {config.pipeline_root} knows "
        "no earlier run: pictures that it was trained on may be in `test` now, where the candidate "
        "looks better than it is. Run in the root of that version, or set "
        "training.warm_start=false for this run."
    )


def check_network(config: Config) -> None:
    """Builds the network once, which takes the time of importing TensorFlow.

    Raises:
      ConfigError: the weights file is missing or another network's, a layer is unknown, or
        there are not the devices to train on.
      WeightsUnavailable: the ImageNet weights can't be had.
    """
    from components.model.chosen_weights import weights_file
    from components.pretrained.base import build_base
    from components.trainer.distribution import check_devices

    if config.training.distribution == "multi_worker":
        raise ConfigError(
            "training.distribution: multi_worker is for `run-node`, which is started on every "
            "worker under one run id: `transfer-pipeline compile --target tfx`, then run its nodes "
            "(docs/training.md). On one machine set training.distribution=mirrored."
        )
    check_devices(config.training)
    weights = weights_file(config.model, goes_on_from(config))
    _check_layers(config, build_base(config.model.backbone, config.image_size, weights))


def _check_layers(config: Config, base: keras.Model) -> None:
    from components.model.cut_base import cut_base
    from components.pretrained.base import first_unfrozen

    base = cut_base(base, config.model.features)
    if config.training.unfrozen.epochs:
        first_unfrozen(base, config.model.backbone, config.training.unfrozen.from_layer)
