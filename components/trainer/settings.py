"""The settings that decide a training. The node runner reads them before it imports Keras."""

from __future__ import annotations

from components.settings.base import Section
from components.settings.export import Served
from components.settings.model import Model
from components.settings.training import Precision, Training


class TrainerSettings(Section):
    """The network, how it is fitted, and the form in which it is exported."""

    model: Model
    training: Training
    served: Served = Served()

    @property
    def precision(self) -> Precision:
        """In what the backbone's layers compute."""
        return self.training.precision

    @property
    def of_fit(self) -> TrainerSettings:
        """The settings that decide the fitted weights: all but the form of their export."""
        return self.model_copy(update={"served": Served()})
