"""What decides a training. Read without TensorFlow, too: by who else takes part in it."""

from __future__ import annotations

from components.settings.base import Section
from components.settings.model import Model
from components.settings.training import Training


class TrainerSettings(Section):
    """The network, and how it is fitted."""

    model: Model
    training: Training
