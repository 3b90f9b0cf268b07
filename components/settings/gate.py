"""The requirements on a model's metrics on the test split before it is served."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from components.settings.base import PATH, AtLeastOne, Fraction, Number, Section
from serving.names import composed

PICTURE_SIZE = "picture_size"
"""The slice that is no column of the manifest: the power of two that the shorter side reaches."""

ClassName = Annotated[str, AfterValidator(composed)]
"""In the form that the class list has."""


class Gate(Section):
    """Requirements on the metrics of the test split; null requires nothing."""

    min_accuracy: Fraction = 0.8
    min_macro_f1: Fraction | None = None
    """Mean F1 of the classes that have test pictures."""
    min_class_recall: Fraction = 0.5
    """Of every class, as far as its test pictures tell: see `confidence` and `strict`."""
    min_class_precision: Fraction | None = None
    """Of every class."""
    class_recall: dict[ClassName, Fraction] = {}
    """By class name, in place of `min_class_recall`."""
    class_precision: dict[ClassName, Fraction] = {}
    """By class name, in place of `min_class_precision`."""
    max_calibration_error: Fraction | None = None
    """Expected calibration error, of 15 bins."""
    min_class_pictures: AtLeastOne | None = None
    """Test pictures of every class."""
    beats_majority_class: bool = True
    """Its accuracy must exceed that of always naming the most frequent class."""
    max_regression: Fraction = 0.0
    """How far its accuracy may lie under that of the model served now; what lies further is
    refused unless chance explains it. 1 compares nothing."""
    reference: Literal["best"] | AtLeastOne | None = "best"
    """The version that it is held against as against the model served now, on the same pictures,
    so that many small steps down can't add up: `best`, the best of those that the push directory
    keeps; a version's number; null: none."""
    require_improvement: bool = False
    """Its accuracy must lie over that of the model served now, by more than chance explains."""
    confidence: Annotated[Number, Field(ge=0, lt=1)] = 0.95
    """Of an exact McNemar test: a difference is beyond chance with p of at most 1 - confidence;
    with 0, every one is. And of a threshold for a class: it is missed where the exact binomial
    bound of what was found lies under it."""
    strict: bool = False
    """A class misses its threshold also where its test pictures are too few to tell, or none."""
    golden: Annotated[str, Field(min_length=1), PATH] | None = None
    """A fixed labelled set, a source as `data.source` is: accuracy, recall of each class and the
    comparison with the model served now are required of it, too."""
    slices: list[str] = [PICTURE_SIZE]
    """Slices of the metrics, beside the class: `picture_size` (the power of two that the shorter
    side reaches), or columns of the manifest."""
    bless: Annotated[str, Field(min_length=1)] | None = None
    """A person's reason to push in spite of the gate. Meant for one run: `run --bless REASON`."""
