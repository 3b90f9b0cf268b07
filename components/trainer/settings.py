"""The settings that decide a training. The node runner reads them before it imports Keras."""

from __future__ import annotations

from components.settings.base import Section
from components.settings.model import Model
from components.settings.training import Training


class TrainerSettings(Section):
    """The network, and how it is fitted."""

    model: Model
    training: Training
