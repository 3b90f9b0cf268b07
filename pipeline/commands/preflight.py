"""Checks, before any long work starts, all that can be known by then."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from components.artifacts import features
from components.errors import ConfigError
from components.files import object_stores, space
from components.files.paths import absolute, is_remote, scheme
from components.image_example_gen import sources
from components.settings.beam_options import check_processes, pipeline_arguments
from components.settings.gate import PICTURE_SIZE, Gate
from pipeline.config import Config
from serving import versions
from serving.names import quoted, shown, some
from serving.quiet_imports import quiet_import

if TYPE_CHECKING:
    import keras

_PATTERN = re.compile(r"[*?[]")
_TRIED = 1_000_000  # bytes that a folder must take at least


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


def _check_layers(config: Config, base: keras.Model) -> None:
    from components.model.cut_base import cut_base
    from components.pretrained.base import first_unfrozen

    base = cut_base(base, config.model.features)
    if config.training.unfrozen.epochs:
        first_unfrozen(base, config.model.backbone, config.training.unfrozen.from_layer)


def check_slices(gate: Gate, listing: sources.Listing) -> None:
    """Checks that the gate slices by what the sources know of their pictures.

    Raises:
      ConfigError: a slice is no column of a manifest.
    """
    there = {name for file in listing.files for name, _ in file.columns} | {PICTURE_SIZE}
    if missing := [name for name in gate.slices if name not in there]:
        raise ConfigError(
            f"gate.slices: no column {', '.join(map(quoted, missing))}; there are "
            f"{', '.join(map(shown, sorted(there)))}. Name one of these ({PICTURE_SIZE} is always "
            "there), or add the column to the manifest."
        )


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
    kept = [each.number for each in versions.published(folder)] if folder.is_dir() else []
    if pinned not in kept:
        raise ConfigError(
            f"gate.reference: {shown(folder)} keeps no version {pinned}; it keeps "
            f"{some(map(str, kept)) or 'none'}. Name one of them, or say `best`."
        )


def check_folders(config: Config, writes: bool = True) -> sources.Listing:
    """Lists the pictures and makes sure that results can be written. Takes a moment.

    Args:
      config: the whole configuration.
      writes: makes the folders of results where they are missing, and tries to write there.

    Raises:
      ConfigError: a folder is missing, can't be written, or would be taken for a class; or Beam's
        runner can't be used.
      DataError: the pictures can't make a classifier.
      DiskFull: a disk is full.
    """
    pipeline_arguments(config.runtime.beam)
    check_processes(config.runtime.beam)
    check_metadata(config)
    _check_no_pattern(config.pipeline_root)
    _check_folder("push.directory", config.push.directory)
    _check_store("push.upload_to", config.push.upload_to)
    listing = sources.scan(config.data)
    for key, folder in (("push.directory", config.push_directory), ("runtime.root", config.root)):
        for source in config.data.sources:
            _check_outside(key, folder, source)
        if writes:
            _check_writable(key, folder)
    return listing


def check_metadata(config: Config) -> None:
    """Makes sure that the metadata is not to lie in a root that is no folder.

    Raises:
      ConfigError: it is.
    """
    if is_remote(config.runtime.root) and config.runtime.metadata is None:
        raise ConfigError(
            f"runtime.metadata: is needed where runtime.root ({config.runtime.root}) is no folder, "
            "since SQLite writes to local files only. Name a server (mysql://, postgresql://, "
            "grpc://), or a SQLite file where all nodes run on this machine."
        )


def check_gate(gate: Gate, classes: list[str]) -> None:
    """Makes sure that thresholds by class name are for classes that are there.

    Raises:
      ConfigError: one is not.
    """
    for key in ("class_recall", "class_precision"):
        unknown = sorted(set(getattr(gate, key)) - set(classes))
        if unknown:
            listed = ", ".join(map(shown, classes[:10]))
            raise ConfigError(
                f"gate.{key}: no class {', '.join(quoted(name) for name in unknown[:10])}; "
                f"found {listed}"
                f"{' and more' if len(classes) > 10 else ''}. Correct the name, or remove it."
            )


def check_golden(config: Config, classes: list[str]) -> None:
    """Makes sure that the golden set is there and has no class that the data has not.

    Raises:
      ConfigError: it is not there, or has one.
      DataError: it holds no pictures of two classes.
    """
    if config.golden is None:
        return
    unknown = sorted(set(sources.scan(config.golden).classes) - set(classes))
    if unknown:
        raise ConfigError(
            f"gate.golden: {config.gate.golden} has classes that data.source has not: "
            f"{', '.join(map(repr, unknown[:10]))}. Rename or remove them."
        )


def check_batch(config: Config, listing: sources.Listing) -> None:
    """Makes sure that a batch is no larger than the training split will be.

    Raises:
      ConfigError: it is.
    """
    given = sum(file.split == features.TRAIN for file in listing.files)
    splits = config.data.splits
    share = splits.train / (splits.train + splits.eval + splits.test)
    pictures = given or int(share * len(listing.files))
    if config.training.batch_size > pictures:
        raise ConfigError(
            f"training.batch_size: found {config.training.batch_size}, but about {pictures} "
            f"pictures are to train on. Set it to {max(1, pictures // 4)}, or give more pictures."
        )


def check_listing(config: Config, listing: sources.Listing) -> None:
    """Checks what the configuration says of the pictures against those that are there.

    Raises:
      ConfigError: a class, a column or the golden set is not there, or a batch is too large.
      DataError: the golden set holds no pictures of two classes.
    """
    check_gate(config.gate, listing.classes)
    check_slices(config.gate, listing)
    check_golden(config, listing.classes)
    check_batch(config, listing)


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


def _check_no_pattern(root: str) -> None:
    if found := _PATTERN.search(root):
        raise ConfigError(
            f"runtime.root: {shown(root)} has {found[0]!r}, which TFX and Beam read as a pattern "
            "and not as a name. Allowed are paths without * ? [. Name another folder."
        )


def _check_folder(key: str, place: str) -> None:
    if is_remote(place):
        raise ConfigError(
            f"{key}: {place} is no folder, and only there is a version renamed into place in one "
            "step. Mount the store (gcsfuse, s3fs, NFS) and name the folder where it is mounted."
        )


def _check_store(key: str, address: str | None) -> None:
    if address is None or object_stores.is_installed(address) or scheme(address) == "gs":
        return
    known = ", ".join(f"{name}:// ({extra})" for name, extra in object_stores.EXTRAS.items())
    raise ConfigError(
        f"{key}: nothing that is installed reaches {address}. Allowed are, each with this "
        f"project's extra: {known}. Install one of these, or correct the address."
    )


def _check_outside(key: str, folder: Path, source: str) -> None:
    if is_remote(source) or sources.is_manifest(source):
        return
    if folder.resolve().is_relative_to(Path(source).expanduser().resolve()):
        raise ConfigError(
            f"{key}: {folder} lies in data.source, where every folder is a class of pictures. "
            "Name a folder outside it."
        )


def _check_writable(key: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        if full := space.full_disk(error, [space.Need(key, str(folder), _TRIED)]):
            raise full from error
        reason = error.strerror or str(error)
        who = f" by user {os.getuid()}" if hasattr(os, "getuid") else ""
        raise ConfigError(
            f"{key}: {folder} can't be written{who} ({reason}). Name a folder that can."
        ) from error
