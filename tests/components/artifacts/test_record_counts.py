from __future__ import annotations

from pathlib import Path

import pytest
from tfx.types import standard_artifacts

from components.artifacts import record_counts, tfrecords
from tests.explains import refused


def test_foreign_examples_are_counted_and_noted_ones_are_not(tmp_path: Path) -> None:
    examples = standard_artifacts.Examples()
    examples.uri, examples.split_names = str(tmp_path), '["train", "eval"]'
    (tmp_path / "Split-train").mkdir()
    tfrecords.write(str(tmp_path / "Split-train" / "a"), [b"one", b"two"])
    assert record_counts.of(examples, "train") == 2
    record_counts.note(examples, {"train": 7, "eval": 0})
    assert (record_counts.of(examples, "train"), record_counts.of(examples, "eval")) == (7, 0)


@pytest.mark.parametrize(("found", "happened"), [(968, "32 were lost"), (1032, "32 were doubled")])
def test_a_difference_is_told_with_both_numbers(found: int, happened: str) -> None:
    record_counts.check("rows", 1000, 1000)
    told = f"{found:,} instead of 1,000 rows: {happened}"
    with refused(
        record_counts.RecordsLost,
        found=told,
        allowed="--runner=FnApiRunner does not",
        next="mend that and run again",
    ):
        record_counts.check("rows", found, 1000)
