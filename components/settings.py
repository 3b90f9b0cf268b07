"""What the components are told: the typed sections of the configuration.

`pipeline.config` composes them into the whole; a component receives its sections as JSON execution
properties, so that TFX's cache sees exactly the part of the configuration that the component needs.
"""

from __future__ import annotations

import contextlib
import math
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from components.backbones import BACKBONES
from serving.pictures import MAX_PIXELS


def _read_number(value: Any) -> Any:
    """YAML 1.1 reads `1e-4` (no point) as text; whoever writes it means the number."""
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            return float(value)
    return value


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("a finite number is needed")
    return value


def _regular_expression(value: str | None) -> str | None:
    if value is not None:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
    return value


def _registered(value: str) -> str:
    if value not in BACKBONES:
        raise ValueError(f"unknown backbone; allowed are {', '.join(BACKBONES)}")
    return value


Number = Annotated[float, BeforeValidator(_read_number), AfterValidator(_finite)]
Positive = Annotated[Number, Field(gt=0)]
Fraction = Annotated[Number, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
AtLeastOne = Annotated[int, Field(ge=1)]
Source = Annotated[str, Field(min_length=1)]
Backbone = Annotated[str, AfterValidator(_registered)]


class Section(BaseModel):
    """A section refuses unknown keys and does not turn one type into another."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Splits(Section):
    """Parts in which the pictures are split; `8, 1, 1` means eight tenths, one, one."""

    train: AtLeastOne = 8
    eval: AtLeastOne = 1
    test: AtLeastOne = 1


class Data(Section):
    """Which pictures are read, and how they are split."""

    source: Source | Annotated[list[Source], Field(min_length=1)]
    """Folder with one folder of pictures per class (or of split and class), CSV manifest, or
    TFRecords; local or on any file system that Beam reads. A list of several makes one data set."""
    window: AtLeastOne = 1
    """How many spans are read, the newest, where the source has {SPAN} or {YYYY}, {MM}, {DD}."""
    splits: Splits = Splits()
    group_by: Annotated[str | None, AfterValidator(_regular_expression)] = None
    """Regular expression on the path below the class folder, in a manifest on its path; pictures
    with the same match (its first group, if there is one) stay in one split: a patient, a module, a
    visit. A manifest's column `group` comes before it."""
    max_rejected_fraction: Fraction = 0.01
    """The run stops when more than this fraction of the pictures can't be read."""
    min_pictures: Count = 1
    """The run stops when a class has fewer in a split. 0 lets a class lack a split: without test
    pictures its recall can't be measured, which the gate passes only where `min_class_recall` is
    0."""
    max_pixels: AtLeastOne = MAX_PIXELS
    """Pictures with more are refused before they are decoded."""

    @property
    def sources(self) -> list[str]:
        """The sources, one or several."""
        return [self.source] if isinstance(self.source, str) else self.source


Reaction = Literal["report", "stop"]


class Validation(Section):
    """What of the data stops the run before training; what does not is reported.

    Classes and their shares are compared with the last data that passed.
    """

    vanished_classes: Reaction = "stop"
    new_classes: Reaction = "report"
    label_drift: Reaction = "report"
    max_label_drift: Fraction = 0.2
    """How far the share of a class may move: 0.2 is from 30 % to 50 %."""
    sizes: Reaction = "stop"
    min_side: AtLeastOne = 1
    """The smallest height or width, in pixels."""
    max_side: AtLeastOne | None = None
    """The largest height or width, in pixels; null: any."""
    anomalies: Reaction = "stop"
    """What breaks the schema of the pictures' features."""


class Image(Section):
    """What the network sees."""

    size: Annotated[list[AtLeastOne], Field(min_length=2, max_length=2)] | None = None
    """Height and width in pixels; the backbone's own size if left out."""
    fit: Literal["stretch", "crop", "pad"] = "stretch"
    """How a picture of another shape fits: distorted, its middle, or whole with black bars."""


class Dense(Section):
    """One fully connected layer of the head."""

    units: AtLeastOne
    activation: Literal["relu", "gelu", "elu", "selu", "silu", "tanh", "sigmoid", "linear"] = "relu"
    dropout: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    """Fraction of this layer's outputs dropped while training."""


class Head(Section):
    """What stands on the backbone: pooling, dropout, dense layers, softmax."""

    pooling: Literal["average", "max", "flatten"] = "average"
    dropout: Annotated[Number, Field(ge=0, lt=1)] = 0.2
    dense: list[Dense] = []


class Model(Section):
    """The network."""

    backbone: Backbone = "inception_v3"
    weights: str | None = "imagenet"
    """`imagenet`, a local file (.weights.h5, .h5, .keras), or null for random ones."""
    head: Head = Head()


class Frozen(Section):
    """The first phase: the base stays as it is, the head learns."""

    epochs: Count = 10
    learning_rate: Positive = 0.005
    optimizer: Literal["adam", "sgd", "rmsprop"] = "adam"
    momentum: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    features: Literal["cached", "end_to_end"] = "cached"
    """`cached`: the base runs once per picture (BottleneckGen); `end_to_end`: in every epoch."""


class Unfrozen(Section):
    """The second phase: the head and the top of the base learn together."""

    epochs: Count = 10
    from_layer: str | Count | None = None
    """The first layer of the base that learns, by name or index; the backbone's own if left out."""
    learning_rate: Positive = 0.0001
    optimizer: Literal["adam", "sgd", "rmsprop"] = "sgd"
    momentum: Annotated[Number, Field(ge=0, lt=1)] = 0.9


class Training(Section):
    """How the network is fitted."""

    batch_size: AtLeastOne = 32
    seed: Count = 0
    class_weights: Literal["balanced"] | None = None
    """`balanced`: a class weighs inversely to its pictures in the training split."""
    frozen: Frozen = Frozen()
    unfrozen: Unfrozen = Unfrozen()

    @model_validator(mode="after")
    def _learns_something(self) -> Training:
        if self.frozen.epochs + self.unfrozen.epochs == 0:
            raise ValueError(
                "frozen.epochs and unfrozen.epochs are both 0: nothing would be trained"
            )
        return self


class Gate(Section):
    """What a model must reach on the test split before it is served."""

    min_accuracy: Fraction = 0.8
    min_class_recall: Fraction = 0.5
    """Of every class."""
    max_regression: Fraction = 0.0
    """How far its accuracy may lie under that of the model served now."""
    beats_majority_class: bool = True
    """Its accuracy must exceed that of always naming the most frequent class."""


class Push(Section):
    """Where TensorFlow Serving finds its models."""

    directory: Annotated[str, Field(min_length=1)]
    keep_versions: AtLeastOne = 5
