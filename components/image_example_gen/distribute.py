"""The Beam steps that copy Examples into the splits that the ledger has for them."""

from __future__ import annotations

import collections
import json
import os
import uuid
from collections.abc import Iterator

import apache_beam as beam
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from components.artifacts import features, tfrecords
from components.artifacts.examples import Example
from components.image_example_gen.ingest import SHARD, create, position_of
from components.image_example_gen.verdicts import Row


def distribute(
    pipeline: beam.Pipeline, accepted: list[Row], prefixes: dict[str, str], unfinished: str
) -> None:
    """Adds the steps that write the splits.

    Args:
      pipeline: Beam's.
      accepted: the ledger's rows, each with its split and the file of its Example.
      prefixes: of the files' names, by split.
      unfinished: the folder of those files.
    """
    for prefix in prefixes.values():
        if not FileSystems.exists(os.path.dirname(prefix)):
            FileSystems.mkdirs(os.path.dirname(prefix))
    _ = (
        pipeline
        | "Tables" >> beam.Create(list(_write_tables(accepted, prefixes, unfinished)))
        | "Spread tables" >> beam.Reshuffle()
        | "Copy" >> beam.Map(_copy, unfinished=unfinished)
    )


def _write_tables(accepted: list[Row], prefixes: dict[str, str], unfinished: str) -> Iterator[str]:
    """Writes for each file of Examples which picture goes where, and yields the table's path.

    As elements they would make the pipeline's graph large.
    """
    of_shard: dict[str, list[Row]] = collections.defaultdict(list)
    for row in accepted:
        of_shard[row[SHARD]].append(row)
    numbered = dict.fromkeys(prefixes, 0)
    in_split = {
        split: len({row[SHARD] for row in accepted if row["split"] == split}) for split in prefixes
    }
    for shard in sorted(of_shard, key=lambda shard: _first(of_shard[shard])):
        rows, targets = of_shard[shard], {}
        for split in sorted({row["split"] for row in rows}):
            number, of = numbered[split], in_split[split]
            targets[split] = f"{prefixes[split]}-{number:05}-of-{of:05}.tfrecord"
            numbered[split] += 1
        table = {
            "shard": shard,
            "targets": targets,
            "splits": {row["file"]: row["split"] for row in rows},
        }
        path = os.path.join(unfinished, f"table-{uuid.uuid4().hex}")
        with create(path) as file:
            file.write(json.dumps(table).encode())
        yield path


def _first(rows: list[Row]) -> str:
    return min(position_of(row["file"], row["label"]) for row in rows)


def _copy(path: str, unfinished: str) -> None:
    with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        table = json.loads(file.read())
    aside = {
        split: os.path.join(unfinished, f"{split}-{uuid.uuid4().hex}") for split in table["targets"]
    }
    targets = {split: create(where) for split, where in aside.items()}
    shard = FileSystems.open(table["shard"], compression_type=CompressionTypes.UNCOMPRESSED)
    with shard:
        for record in tfrecords.records(shard):
            split = table["splits"].get(Example(record.data).text(features.FILENAME))
            if split:
                targets[split].write(tfrecords.framed(record.data))
    for split, target in targets.items():
        target.close()
        if FileSystems.exists(table["targets"][split]):  # this step is being retried
            FileSystems.delete([table["targets"][split]])
        FileSystems.rename([aside[split]], [table["targets"][split]])
