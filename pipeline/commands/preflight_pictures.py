"""Checks what the configuration says of the pictures against those that are listed."""

from __future__ import annotations

from components.artifacts import features
from components.errors import ConfigError
from components.image_example_gen import sources
from components.settings.gate import PICTURE_SIZE, Gate
from pipeline.config import Config
from serving.names import quoted, shown


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


def check_slices(gate: Gate, listing: sources.Listing) -> None:
    """Checks that the gate slices by what the sources know of their pictures.

    Raises:
      ConfigError: a slice is no column of a manifest.
    """
    there = {*listing.counts.columns, PICTURE_SIZE}
    if missing := [name for name in gate.slices if name not in there]:
        raise ConfigError(
            f"gate.slices: no column {', '.join(map(quoted, missing))}; there are "
            f"{', '.join(map(shown, sorted(there)))}. Name one of these ({PICTURE_SIZE} is always "
            "there), or add the column to the manifest."
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
    given = listing.counts.by_split[features.TRAIN]
    splits = config.data.splits
    share = splits.train / (splits.train + splits.eval + splits.test)
    pictures = given or int(share * len(listing.files))
    if config.training.batch_size > pictures:
        raise ConfigError(
            f"training.batch_size: found {config.training.batch_size}, but about {pictures} "
            f"pictures are to train on. Set it to {max(1, pictures // 4)}, or give more pictures."
        )
