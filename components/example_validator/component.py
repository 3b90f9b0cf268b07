"""ExampleValidator: TFX's component, with TFDV's version in its cache key."""

from __future__ import annotations

from tfx.components.example_validator import component

from components.step.driver import Keyed


class ExampleValidator(Keyed, component.ExampleValidator):
    """Compares the statistics of every split with the schema."""

    LIBRARIES = ("tensorflow-data-validation", "tfx")
