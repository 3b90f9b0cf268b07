"""The Beam steps that copy Examples into the splits that the ledger has for them."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterable, Iterator

import apache_beam as beam
import numpy as np

from components.artifacts import tfrecords
from components.artifacts.features import SPLITS
from components.artifacts.ledger_columns import OFFSET, PLACE
from components.artifacts.rows import Rows
from components.files import worker_files
from components.image_example_gen.ingest import AT, SHARD, position_of
from components.image_example_gen.memory import split_codes

PLACES = "places"
"""Beginning of the names of files in the folder of unfinished ones: where each record lies."""

_ROW = "row"


def distribute(
    pipeline: beam.Pipeline, accepted: Rows, prefixes: dict[str, str], unfinished: str
) -> None:
    """Adds the steps that write the splits.

    Args:
      pipeline: Beam's.
      accepted: the ledger's rows, each with its split and the file of its Example.
      prefixes: of the files' names, by split.
      unfinished: the folder of those files.
    """
    for prefix in prefixes.values():
        worker_files.make_folder(os.path.dirname(prefix))
    _ = (
        pipeline
        | "Tables" >> beam.Create(list(_write_tables(accepted, prefixes, unfinished)))
        | "Spread tables" >> beam.Reshuffle()
        | "Copy" >> beam.Map(_copy, unfinished=unfinished)
    )


def _write_tables(accepted: Rows, prefixes: dict[str, str], unfinished: str) -> Iterator[str]:
    """Writes for each file of Examples which record goes where, and yields the table's path.

    As elements they would make the pipeline's graph large.
    """
    of_shard, shards = accepted.codes(SHARD)
    split = split_codes(accepted)
    in_split = [len(np.unique(of_shard[split == code])) for code in range(len(SPLITS))]
    numbered = [0] * len(SPLITS)
    for at in np.argsort(_firsts(accepted, of_shard, len(shards)), kind="stable").tolist():
        numbers = np.flatnonzero(of_shard == at)
        rows = accepted.take(numbers)
        if not len(rows):
            continue
        targets = {}
        for code in sorted(set(split_codes(rows).tolist()), key=SPLITS.__getitem__):
            number, of = numbered[code], in_split[code]
            targets[SPLITS[code]] = f"{prefixes[SPLITS[code]]}-{number:05}-of-{of:05}.tfrecord"
            numbered[code] += 1
        table = {
            "shard": shards[at].as_py(),
            "targets": targets,
            "records": _by_place(rows, numbers),
        }
        path = os.path.join(unfinished, f"table-{uuid.uuid4().hex}")
        with worker_files.create(path) as file:
            file.write(json.dumps(table).encode())
        yield path


def _by_place(rows: Rows, numbers: np.ndarray) -> dict[str | None, tuple[int, str | None]]:
    """Returns number and split of each row by the byte of its record: names may be alike."""
    known = zip(numbers.tolist(), rows.texts("split"), strict=True)
    return dict(zip(rows.texts(AT), known, strict=True))


def _firsts(rows: Rows, of_shard: np.ndarray, shards: int) -> np.ndarray:
    """Returns the least position of a picture in each shard: [shards] text."""
    found = [""] * shards
    names = zip(rows.texts("file"), rows.texts("label"), of_shard.tolist(), strict=True)
    for file, label, shard in names:
        position = position_of(str(file), str(label))
        if not found[shard] or position < found[shard]:
            found[shard] = position
    return np.array(found, "U64")


def _copy(path: str, unfinished: str) -> None:
    with worker_files.opened(path) as file:
        table = json.loads(file.read())
    aside = {
        split: os.path.join(unfinished, f"{split}-{uuid.uuid4().hex}") for split in table["targets"]
    }
    targets = {split: worker_files.create(where) for split, where in aside.items()}
    ends, places = dict.fromkeys(targets, 0), []
    with worker_files.opened(table["shard"]) as shard:
        for record in tfrecords.records(shard):
            row, split = table["records"].get(str(record.offset - tfrecords.HEADER), (None, None))
            if split:
                framed = tfrecords.framed(record.data)
                targets[split].write(framed)
                places.append([row, os.path.basename(table["targets"][split]), ends[split]])
                ends[split] += len(framed)
    for split, target in targets.items():
        target.close()
        worker_files.move(aside[split], table["targets"][split])
    with worker_files.create(os.path.join(unfinished, f"{PLACES}-{uuid.uuid4().hex}")) as file:
        file.write(json.dumps(places).encode())


def placed(accepted: Rows, paths: Iterable[str], read: Callable[[str], str]) -> Rows:
    """Returns the accepted rows, each with the place of its record.

    Args:
      accepted: the rows that were distributed.
      paths: of the files that `distribute` left.
      read: returns the content of one.
    """
    found = (row for path in paths for row in json.loads(read(path)))
    places = Rows.of({_ROW: str(row), PLACE: place, OFFSET: str(at)} for row, place, at in found)
    return accepted.numbered(_ROW).with_columns_of(places, _ROW).without(_ROW)
