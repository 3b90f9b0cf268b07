"""All that a training depends on, loaded."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from tfx.types import Artifact

from components.artifacts import features, tfrecords
from components.model import precision
from components.model.transform_graph import Pixels
from components.settings.model import Model
from components.settings.training import Training


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingInputs:
    """Settings, class list, Transform graph, and the folders of pictures, features and weights."""

    model: Model
    training: Training
    classes: list[str]
    pixels: Pixels
    train: str
    """Folder of the training split's pictures."""
    eval: str
    bottlenecks: str | None = None
    """Folder of the Bottlenecks artifact."""
    baseline: Sequence[Artifact] = ()
    """The model served now, where the training starts from it."""
    counts: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Records by split, where known: counting them on another machine reads them all."""
    former_names: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    """Earlier names of classes, the latest first."""

    def count(self, split: str) -> int:
        """Returns the number of pictures of `train` or `eval`."""
        if split in self.counts:
            return self.counts[split]
        return tfrecords.count(self.train if split == features.TRAIN else self.eval)

    @property
    def precision(self) -> str:
        """In what the backbone's layers compute: float32, bfloat16 or float16."""
        return precision.resolve(self.training.precision)
