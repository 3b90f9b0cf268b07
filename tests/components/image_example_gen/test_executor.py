from __future__ import annotations

import hashlib
import logging
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import apache_beam as beam
import pytest
from tfx.types import standard_artifacts

from components.artifacts import ledger_rows, record_counts, tfrecords
from components.artifacts.examples import Example
from components.artifacts.features import FILENAME, SHA256, SPLITS
from components.artifacts.ledger_columns import OFFSET, PLACE
from components.artifacts.record_counts import RecordsLost
from components.errors import DataError
from components.image_example_gen import ingest as ingest_steps
from components.settings.data import Data, Splits
from components.step import progress
from tests import made_pictures
from tests.components.image_example_gen.made_ingest import Ingested, ingest
from tests.explains import refused

LOCAL = ["--runner=FnApiRunner", "--direct_num_workers=2", "--sdk_container_image=none"]
THIRDS = Splits(train=1, eval=1, test=1)


def ingested(
    tmp_path: Path, pictures: Path, beam: list[str] | None = None, **options: object
) -> Ingested:
    folder = tmp_path / f"out-{len(list(tmp_path.iterdir()))}"
    data = Data.model_validate({"source": str(pictures), "splits": THIRDS, **options})
    return ingest(folder, data, beam)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_pictures.make(tmp_path_factory.mktemp("here") / "pictures", 30)


@pytest.fixture(scope="module")
def first(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Ingested:
    return ingested(tmp_path_factory.mktemp("first"), pictures)


def test_a_bundle_begins_another_file_once_one_is_large(
    pictures: Path, first: Ingested, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_steps, "_SHARD_BYTES", 1)
    found = ingested(tmp_path, pictures)
    assert {split: sorted(rows) for split, rows in found.known.items()} == {
        split: sorted(rows) for split, rows in first.known.items()
    }
    train = list(tmp_path.glob("*/ImageExampleGen/examples/1/Split-train/*.tfrecord"))
    assert len(train) == len(found.examples["train"])  # a picture each


def test_every_picture_is_written_once_with_what_belongs_to_it(
    pictures: Path, first: Ingested
) -> None:
    rows = [row for split in SPLITS for row in first.examples[split]]
    names = {path.relative_to(pictures).as_posix() for path in pictures.glob("*/*")}
    assert sorted(row[FILENAME] for row in rows) == sorted(names)
    for row in rows:
        content = (pictures / row[FILENAME]).read_bytes()
        assert row[SHA256] == hashlib.sha256(content).hexdigest()
        assert row["image/encoded"] == content  # canonical already
        assert row["image/label"] == row[FILENAME].split("/")[0]
        width, height = row["image/width"], row["image/height"]
        assert row["image/aspect_ratio"] == pytest.approx(width / height)
    counts = {split: len(first.examples[split]) for split in SPLITS}
    assert counts == {split: sum(first.report["counts"][split].values()) for split in SPLITS}
    assert (first.report["accepted"], first.classes) == (90, ["blue", "green", "red"])


def test_the_classes_are_mixed_in_every_split(first: Ingested) -> None:
    for rows in first.known.values():
        labels = [label for _, label in rows]
        assert labels != sorted(labels)


def test_nothing_is_left_beside_the_artifacts(
    first: Ingested, pictures: Path, tmp_path: Path
) -> None:
    ingest(tmp_path, Data(source=str(pictures), splits=THIRDS))
    names = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert names == [
        "classes.json",
        "ledger-00000-of-00001.parquet",
        *["pictures-00000-of-00001.tfrecord"] * 3,
        "pictures.parquet",
        "report.json",
        "splits.parquet",
    ]


def test_from_another_root_and_another_order_of_listing_the_same_comes_in_the_same_order(
    pictures: Path, first: Ingested, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "else where" / "pictures"
    for path in sorted(pictures.glob("*/*"), reverse=True):  # the order that os.scandir may give
        target = elsewhere / path.relative_to(pictures)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    assert ingested(tmp_path, elsewhere).known == first.known


@pytest.mark.parametrize("mode", ["multi_threading", "multi_processing"])
@pytest.mark.skipif(
    " " in sys.executable, reason="Beam starts its worker processes through a shell, unquoted"
)
def test_several_workers_give_the_same_examples_in_the_same_splits(
    mode: str, pictures: Path, first: Ingested, tmp_path: Path
) -> None:
    found = ingested(tmp_path, pictures, beam=[*LOCAL, f"--direct_running_mode={mode}"])
    for split in SPLITS:
        assert sorted(found.known[split]) == sorted(first.known[split])
    assert found.report == first.report


def test_threads_tell_of_their_progress_together(pictures: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    handler = logging.Handler()
    handler.emit = lambda record: told.append((record.done, record.total))  # type: ignore
    progress.LOGGER.addHandler(handler)
    try:
        ingested(tmp_path, pictures, [*LOCAL, "--direct_running_mode=multi_threading"])
    finally:
        progress.LOGGER.removeHandler(handler)
    done = [done for done, total in told if total == 90]
    assert done == sorted(set(done)) and done[-1] == 90


def test_pictures_that_are_added_move_no_old_one(
    pictures: Path, first: Ingested, tmp_path: Path
) -> None:
    more = tmp_path / "more"
    shutil.copytree(pictures, more)
    for path in made_pictures.make(tmp_path / "new", 10, seed=1).glob("*/*"):
        shutil.copy(path, more / path.parent.name / f"new-{path.name}")
    found = ingest(tmp_path / "out", Data(source=str(more), splits=THIRDS), None, first.folder)
    assert found.report["accepted"] == 120
    for split in SPLITS:
        assert set(first.known[split]) <= set(found.known[split])
    assert found.report["moved"] == {"count": 0, "listed": []}
    assert found.report["counts"] == {
        split: {"blue": count, "green": count, "red": count}
        for split, count in zip(SPLITS, (14, 13, 13), strict=True)
    }


def test_every_class_is_in_every_split_near_the_wanted_shares(
    pictures: Path, tmp_path: Path
) -> None:
    found = ingest(tmp_path, Data(source=str(pictures)))
    assert found.report["counts"] == {
        split: {"blue": count, "green": count, "red": count}
        for split, count in zip(SPLITS, (24, 3, 3), strict=True)
    }


def test_a_class_of_two_pictures_is_trained_or_left_out_of_the_class_list(
    pictures: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    shutil.copytree(pictures, folder)
    for path in sorted((folder / "red").iterdir())[2:]:
        path.unlink()
    found = ingested(tmp_path, folder)
    assert [found.report["counts"][split]["red"] for split in SPLITS] == [2, 0, 0]
    assert found.classes == ["blue", "green", "red"]
    without = ingested(tmp_path, folder, small_classes="leave_out")
    assert without.classes == ["blue", "green"]
    assert {label for rows in without.known.values() for _, label in rows} == {"blue", "green"}


def test_the_ledger_has_every_file_with_its_split_or_the_reason(
    pictures: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    shutil.copytree(pictures, folder)
    (folder / "red" / "broken.png").write_bytes(b"nothing")
    found = ingested(tmp_path, folder, max_rejected_fraction=0.1)
    rows = list(ledger_rows.read(found.folder))
    assert len(rows) == 91
    assert [row["file"] for row in rows if "reason" in row] == ["red/broken.png"]
    split_of = {row["file"]: row["split"] for row in rows if "split" in row}
    for split, examples in found.examples.items():
        assert all(split_of[row[FILENAME]] == split for row in examples)
    assert not any({"shard", "at", "row"} & row.keys() for row in rows)


def test_pictures_of_one_name_keep_their_own_splits_and_places(
    pictures: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    shutil.copytree(pictures, folder)
    # A byte that is no UTF-8 is written as this, which another name may be already.
    (folder / "red" / "000.png").rename(folder / "red" / r"\udce9.png")
    os.rename(folder / "red" / "001.png", os.fsencode(folder / "red") + b"/\xe9.png")
    found = ingested(tmp_path, folder)
    rows = [row for row in ledger_rows.read(found.folder) if row["file"] == r"red/\udce9.png"]
    assert len(rows) == len({row["sha256"] for row in rows}) == 2
    examples = Path(found.folder).parent.parent / "examples" / "1"
    for row in rows:
        path = examples / f"Split-{row['split']}" / row[PLACE]
        [record] = tfrecords.records_at(str(path), [int(row[OFFSET])])
        assert Example(record).text(SHA256) == row["sha256"]
        assert row["sha256"] in {sha256 for sha256, _ in found.known[row["split"]]}


def test_conflicts_are_in_no_split_and_in_the_report(pictures: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    shutil.copytree(pictures, folder)
    shutil.copy(folder / "red" / "000.png", folder / "blue" / "copy.png")
    shutil.copy(folder / "green" / "001.png", folder / "green" / "copy.png")
    found = ingested(tmp_path, folder, max_rejected_fraction=0.1)
    written = {row[FILENAME] for rows in found.examples.values() for row in rows}
    assert {"red/000.png", "blue/copy.png"}.isdisjoint(written)
    assert {"green/001.png", "green/copy.png"} <= written
    assert found.report["rejected"] == [
        {
            "file": "blue/copy.png",
            "label": "blue",
            "reason": "same picture under two labels: red/000.png is labelled 'red'",
        },
        {
            "file": "red/000.png",
            "label": "red",
            "reason": "same picture under two labels: blue/copy.png is labelled 'blue'",
        },
    ]
    assert found.report["duplicates"]["listed"] == [
        {"file": "green/copy.png", "like": "green/001.png"}
    ]
    assert len(written) == found.report["accepted"] == 90


def test_a_copy_in_another_given_split_is_a_leak_that_the_stricter_split_keeps(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "pictures"
    for seed, split in enumerate(SPLITS):
        made_pictures.make(folder / split, 3, seed)
    shutil.copy(folder / "test" / "red" / "000.png", folder / "train" / "red" / "copy.png")
    found = ingested(tmp_path, folder, max_rejected_fraction=0.1)
    assert [row["file"] for row in found.report["rejected"]] == ["train/red/copy.png"]
    assert "test/red/000.png in test is kept" in found.report["rejected"][0]["reason"]
    assert len(found.examples["train"]) == len(found.examples["test"]) == 9


def test_a_run_over_the_limit_stops_with_the_first_ten(pictures: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    shutil.copytree(pictures, folder)
    for number in range(12):
        (folder / "red" / f"broken{number:02}.png").write_bytes(b"nothing")
    with refused(
        DataError,
        found="12 of 102 pictures can't be used",
        allowed="more than data.max_rejected_fraction",
        next="Mend or remove them, or raise the limit",
    ) as error:
        ingested(tmp_path, folder)
    assert str(error.value).count("\n") == 10


LOST = {
    "allowed": r"--runner=FnApiRunner does not|instead of [\d,]+",
    "next": "mend that and run again",
}
"""What a message of lost records says besides the numbers."""


def runs_on(monkeypatch: pytest.MonkeyPatch, changes: Callable[[str], list[str]]) -> None:
    """Lets Beam spread the elements as a runner would that does this to them."""
    monkeypatch.setattr(beam, "Reshuffle", lambda: beam.FlatMap(changes))


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (0, "88 instead of 90 rows of the ledger .*: 2 were lost"),
        (2, "92 instead of 90 rows of the ledger .*: 2 were doubled"),
    ],
)
def test_a_runner_that_loses_or_doubles_pictures_fails_the_run_with_both_numbers(
    number: int, told: str, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs_on(monkeypatch, lambda path: [path] * (number if path.endswith("-000000002") else 1))
    with refused(RecordsLost, found=told, **LOST):
        ingested(tmp_path, pictures)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (lambda path: [], "0 instead of 90 rows of the ledger"),
        (lambda path: [path.replace("-000000002", "-000000004")], "88 instead of 90 rows"),
        (
            lambda path: [] if "table-" in path else [path],
            "0 instead of 30 records in the split tr",
        ),
    ],
)
def test_so_does_one_that_loses_all_or_as_many_as_it_doubles_or_those_of_the_splits(
    changes: Callable[[str], list[str]],
    told: str,
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs_on(monkeypatch, changes)
    with refused(RecordsLost, found=told, **LOST):
        ingested(tmp_path, pictures)


def test_the_examples_know_how_many_there_are(pictures: Path, tmp_path: Path) -> None:
    examples = standard_artifacts.Examples()
    ingest(tmp_path, Data(source=str(pictures), splits=THIRDS), examples=examples)
    assert [record_counts.of(examples, split) for split in SPLITS] == [30, 30, 30]
