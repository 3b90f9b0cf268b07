"""Which pictures are read, how they are split, and what of them stops a run."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from components.settings.base import PATH, AtLeastOne, Count, Fraction, Section
from serving.picture_settings import MAX_PIXELS


def _regular_expression(value: str | None) -> str | None:
    if value is not None:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
    return value


Source = Annotated[str, Field(min_length=1), PATH]
ColumnName = Annotated[str, Field(min_length=1)]


NEAR_DUPLICATES = "near_duplicates"
"""The value of `group_by` that groups pictures by how alike they are."""


class Splits(Section):
    """Parts in which the pictures are split; `8, 1, 1` means eight tenths, one, one."""

    train: AtLeastOne = 8
    eval: AtLeastOne = 1
    test: AtLeastOne = 1

    @model_validator(mode="before")
    @classmethod
    def _is_whole(cls, given: Any) -> Any:
        """Refuses some of the parts: beside defaults that nobody wrote they mean another thing."""
        missing = [
            name for name in cls.model_fields if isinstance(given, dict) and name not in given
        ]
        if given and missing:
            raise ValueError(
                f"{' and '.join(sorted(missing))} missing; all three are needed, as in "
                "{train: 8, eval: 1, test: 1}, since a part means something beside the others only"
            )
        return given


class Columns(Section):
    """The names of a manifest's columns, in any case; null: one of the usual names."""

    path: ColumnName | None = None
    label: ColumnName | None = None
    split: ColumnName | None = None
    group: ColumnName | None = None


class Data(Section):
    """Which pictures are read, and how they are split."""

    source: Source | Annotated[list[Source], Field(min_length=1)]
    """Folder with one folder of pictures per class (or of split and class), manifest (.csv, .tsv,
    .xlsx), or TFRecords; local or on any file system that Beam reads. A list of several makes one
    data set."""
    columns: Columns = Columns()
    """Which columns of a manifest are read; the usual names are recognised."""
    corrections: Annotated[str, Field(min_length=1), PATH] | None = None
    """A manifest with the columns `path` or `sha256`, and `label`: labels that a person gave, which
    count before those of the source; - or no label leaves a picture out."""
    window: AtLeastOne = 1
    """How many spans are read, the newest, where the source has {SPAN} or {YYYY}, {MM}, {DD}."""
    span: Count | None = None
    """The newest span that is read, its number or date as YYYYMMDD: a scheduler makes up for a
    missed week with the data of that week; null: the newest that is there."""
    changes: Literal["files", "folders"] = "files"
    """By what is noticed that a source is as it was when it was listed last: files: the size and
    time of every file; folders: the times of its folders alone, which costs next to nothing however
    many pictures they hold, and does not see one that was overwritten in place. A store is
    listed."""
    similar_class_names: Literal["stop", "allow"] = "stop"
    """Whether the run stops at class names that differ by case, spaces, width or invisible
    characters only."""
    splits: Splits = Splits()
    group_by: Annotated[str | None, AfterValidator(_regular_expression)] = None
    """The name of a manifest's column, or a regular expression on the path below the class folder,
    in a manifest on its path; pictures with the same value or match (its first group, if there is
    one) stay in one split: a patient, a module, a visit. A manifest's column `group` comes before
    an expression. `near_duplicates` keeps those together that look alike: bursts, frames, tiles."""
    max_rejected_fraction: Fraction = 0.01
    """The run stops when more than this fraction of the pictures can't be read."""
    min_pictures: Count = 0
    """The run stops when a class has fewer in a split. 0: no class stops it."""
    small_classes: Literal["train", "leave_out"] = "train"
    """The treatment of a class with under three pictures (or groups), which can't be in every
    split: train: the model learns it, and the gate can't judge it; leave_out: the model does not
    know it."""
    label_probability: ColumnName | None = None
    """A manifest's column with the probability, from 0 to 1, that the row's label is right (empty:
    1); the other classes share the rest evenly. Training alone reads it: `eval` and `test` take the
    label as it is."""
    weight: ColumnName | None = None
    """A manifest's column with the weight, over 0, of the picture in the training's loss (empty:
    1)."""
    max_pixels: AtLeastOne = MAX_PIXELS
    """Pictures with more are refused before they are decoded."""

    @property
    def sources(self) -> list[str]:
        """The sources, one or several."""
        return [self.source] if isinstance(self.source, str) else self.source


Reaction = Literal["report", "stop"]


class Validation(Section):
    """Findings about the data that stop the run before training; all others are reported.

    Classes and their shares are compared with the last data that passed.
    """

    vanished_classes: Reaction = "stop"
    new_classes: Reaction = "report"
    renamed_classes: Reaction = "report"
    """A vanished class whose pictures are those of a new one."""
    relabelled: Reaction = "report"
    """Pictures that are of another class now."""
    label_drift: Reaction = "report"
    max_label_drift: Fraction = 0.2
    """How far the share of a class may move: 0.2 is from 30 % to 50 %."""
    sizes: Reaction = "stop"
    min_side: AtLeastOne = 1
    """The smallest height or width, in pixels."""
    max_side: AtLeastOne | None = None
    """The largest height or width, in pixels; null: any."""
    anomalies: Reaction = "stop"
    """Violations of the schema of the pictures' features."""
