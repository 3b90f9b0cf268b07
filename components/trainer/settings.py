"""The settings that decide a training. The node runner reads them before it imports Keras."""

from __future__ import annotations

from components.settings.base import Section
from components.settings.export import Served
from components.settings.model import Model
from components.settings.training import Training


class TrainerSettings(Section):
    """The network, how it is fitted, and the form in which it is exported."""

    model: Model
    training: Training
    served: Served = Served()
