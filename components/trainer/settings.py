"""The settings that decide a training. The node runner reads them before it imports Keras."""

from __future__ import annotations

from components.settings.base import Section
from components.settings.model import Model
from components.settings.training import Precision, Training


class TrainerSettings(Section):
    """The network, and how it is fitted."""

    model: Model
    training: Training

    @property
    def precision(self) -> Precision:
        """In what the backbone's layers compute."""
        return self.training.precision
