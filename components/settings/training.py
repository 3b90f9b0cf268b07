"""Settings of the training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from components.settings.augmentation import Augmentation
from components.settings.base import AtLeastOne, Count, Number, Positive, Section

Keep = Literal["best_loss", "best_accuracy", "last"]
"""Which epoch's weights are kept: with the smallest `eval` loss, with the greatest `eval` accuracy
(and among these the smallest loss), or of the last epoch."""

NotNegative = Annotated[Number, Field(ge=0)]
BelowOne = Annotated[Number, Field(ge=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""A seed, as NumPy's and Keras' random generators take it."""
ResolvedPrecision = Literal["float32", "bfloat16", "float16"]
Precision = Literal["auto", "float32", "bfloat16", "float16"]
ScheduleKind = Literal["constant", "cosine", "exponential", "inverse_time", "plateau"]


class Schedule(Section):
    """How the learning rate moves within a phase."""

    kind: ScheduleKind = "constant"
    """`cosine` falls to 0 at the phase's end; `exponential` is multiplied by `factor` over every
    epoch; `inverse_time` is divided by 1 + `factor` x steps (older Keras called it `decay`);
    `plateau` is multiplied by `factor` where the `eval` loss did not fall for `patience` epochs."""
    factor: Positive = 0.1
    patience: AtLeastOne = 3
    warmup_epochs: NotNegative = 0.0
    """The rate rises from 0 over as many epochs first."""

    @model_validator(mode="after")
    def _rates_fall(self) -> Schedule:
        if self.kind in ("exponential", "plateau") and self.factor >= 1:
            raise ValueError(f"factor: found {self.factor}; under 1 is allowed with {self.kind}")
        if self.kind == "plateau" and self.warmup_epochs:
            raise ValueError("warmup_epochs can't be combined with kind: plateau")
        return self


class FrozenSchedule(Schedule):
    """That of phase `frozen`: a falling rate comes near the one minimum of a head's loss."""

    kind: ScheduleKind = "cosine"


class Phase(Section):
    """Settings that both phases have."""

    epochs: Count = 10
    learning_rate: Positive
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop"]
    momentum: BelowOne
    """Of `sgd` and `rmsprop`."""
    nesterov: bool = False
    """Nesterov's momentum, of `sgd`."""
    weight_decay: NotNegative = 0.0
    """Decoupled from the loss, as in AdamW."""
    clip_norm: Positive | None = None
    """The gradients' common norm is cut to it."""
    ema: Annotated[Number, Field(gt=0, lt=1)] | None = None
    """Momentum of an exponential moving average of the weights; null: none is kept."""
    schedule: Schedule = Schedule()
    early_stopping: AtLeastOne | None = None
    """The phase ends when the `eval` loss has not fallen for as many epochs."""
    keep: Keep | None = None
    """When an epoch of this phase takes the place of the one kept so far; null: `training.keep`."""
    augmentation: Augmentation | None = None
    """As `training.augmentation`, for this phase alone; null: that one, {}: none."""

    @model_validator(mode="after")
    def _suits_optimizer(self) -> Phase:
        default = type(self).model_fields["momentum"].default
        if self.optimizer.startswith("adam") and self.momentum not in (0, default):
            raise ValueError(
                f"momentum: found {self.momentum}, but {self.optimizer} has its own; "
                "leave it out or choose sgd or rmsprop"
            )
        if self.nesterov and (self.optimizer != "sgd" or not self.momentum):
            raise ValueError("nesterov: sgd with a momentum is needed")
        return self


class Frozen(Phase):
    """The first phase: the base stays as it is, the head is trainable."""

    learning_rate: Positive = 0.005
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop"] = "adam"
    momentum: BelowOne = 0.0
    schedule: FrozenSchedule = FrozenSchedule()
    features: Literal["cached", "end_to_end"] = "cached"
    """`cached`: the base runs once per picture (BottleneckGen), and once per flip of a training
    picture where augmentation flips them; `end_to_end`: in every epoch."""


class Unfrozen(Phase):
    """The second phase: the head and the top of the base are trainable together."""

    from_layer: str | Count | None = None
    """The first trainable layer of the base, by name or index; the backbone's own if left out."""
    learning_rate: Positive = 0.0001
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop"] = "sgd"
    momentum: BelowOne = 0.9
    layer_decay: Annotated[Number, Field(gt=0, le=1)] = 1.0
    """The rate of a layer of the base is that of the next higher one times this."""


class Training(Section):
    """Settings of the training."""

    batch_size: AtLeastOne = 32
    seed: Seed = 0
    shuffle_window: AtLeastOne = 100_000
    """Pictures that an epoch mixes at a time; a set of no more is mixed as a whole."""
    class_weights: Literal["balanced"] | None = None
    """`balanced`: a class weighs inversely to its pictures in the training split."""
    label_smoothing: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    """Part of each label that is spread over all classes (Szegedy et al. 2016)."""
    keep: Keep = "best_loss"
    """Which epoch of both phases is exported."""
    warm_start: bool = False
    """Start from the model served now instead of `model.weights`, if one is served."""
    precision: Precision = "auto"
    """In what the backbone's layers compute. `auto`: bfloat16 where the device multiplies in it,
    float16 on older GPUs with tensor cores, float32 elsewhere. Weights, head, losses and what is
    exported are float32."""
    distribution: Literal["none", "mirrored", "multi_worker"] = "none"
    """`none`: on one device; `mirrored`: on several of one machine; `multi_worker`: by several
    processes, which TF_CONFIG names, with all GPUs of each. They share every batch."""
    devices: Annotated[int, Field(ge=2)] | None = None
    """How many devices `mirrored` takes; null: all GPUs."""
    cache_budget_mb: Count | None = None
    """Disk that cached features may take, in MB. Pooled features are always written; whole maps
    take at most 4,096 MB where this is null, and what phase `unfrozen` caches half of the free disk
    at most; of pictures that do not all fit a part is cached."""
    augmentation: Augmentation = Augmentation()
    frozen: Frozen = Frozen()
    unfrozen: Unfrozen = Unfrozen()

    @model_validator(mode="after")
    def _learns_something(self) -> Training:
        if self.frozen.epochs + self.unfrozen.epochs == 0:
            raise ValueError(
                "frozen.epochs and unfrozen.epochs are both 0: nothing would be trained, and "
                "at least 1 is needed in one of them"
            )
        countable = self.augmentation_of("frozen").flips() is not None
        if not countable and self.frozen.epochs and self.frozen.features == "cached":
            raise ValueError(
                "augmentation changes the pictures in every epoch, and only flips can be cached; "
                "set frozen.features: end_to_end (or leave the rest out, in phase frozen alone by "
                "frozen.augmentation: {})"
            )
        return self

    def augmentation_of(self, phase: Literal["frozen", "unfrozen"]) -> Augmentation:
        """Returns how a phase changes the pictures: its own way, or that of both."""
        own = self.frozen.augmentation if phase == "frozen" else self.unfrozen.augmentation
        return self.augmentation if own is None else own

    @model_validator(mode="after")
    def _batch_can_be_shared(self) -> Training:
        if self.devices is None:
            return self
        if self.distribution != "mirrored":
            raise ValueError(
                f"devices: found {self.devices}, which only distribution: mirrored has"
            )
        if self.batch_size % self.devices:
            raise ValueError(
                f"batch_size: found {self.batch_size}, which {self.devices} devices can't share "
                "evenly"
            )
        return self
