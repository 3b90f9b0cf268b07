"""The Beam steps that turn pictures into `tf.train.Example`s and keep a ledger of every file.

Not Beam's own WriteToTFRecord: one such transform per split costs seconds to set up and a coder's
work per picture. As there, each bundle writes files of its own, which get their final names only
when all bundles are done, so that a bundle that is retried leaves nothing behind.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
import threading
import uuid
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import apache_beam as beam
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.shared import Shared

from components.artifacts import examples, features, tfrecords
from components.artifacts.examples import Example
from components.image_example_gen import reading
from components.image_example_gen.sources import SourceFile
from components.settings.data import Data
from components.step import progress
from serving.picture_settings import DEFAULT, PictureSettings

LEDGER = "ledger"

_PORTIONS, _MOST_FILES = 64, 256  # at least so many portions, each of at most so many files


@dataclasses.dataclass(frozen=True)
class Targets:
    """Where an ingest writes."""

    prefixes: dict[str, str]  # of the files' names, by split and for the ledger
    unfinished: str  # folder of the files that bundles are writing


@dataclasses.dataclass(frozen=True)
class Shard:
    """One file that a bundle has written."""

    kind: str  # a split or the ledger
    path: str
    first: str  # sorts shards


class Progress:
    """Reports how many pictures all threads of one process have read."""

    def __init__(self, total: int):
        self._total = total
        self._done = 0
        self._lock = threading.Lock()

    def add(self, read: int) -> None:
        """So many more are read."""
        with self._lock:
            self._done += read
            progress.report("pictures read", self._done, self._total)


class ReadPictures(beam.DoFn):
    """Reads `SourceFile`s, writes Examples and ledger, and yields each bundle's `Shard`s.

    An element is the path of a file that holds some of them.
    """

    def __init__(self, data: Data, targets: Targets, total: int, settings: PictureSettings):
        self._data = data
        self._settings = settings
        self._targets = targets
        self._make_progress = functools.partial(Progress, total)
        self._shared = Shared()

    def setup(self) -> None:
        from components.image_example_gen import graph_trial  # a worker needs seconds for it

        self._decode = graph_trial.decode
        self._progress = self._shared.acquire(self._make_progress)

    def start_bundle(self) -> None:
        self._open: dict[str, tuple[Shard, BinaryIO]] = {}

    def process(self, element: str) -> None:
        with FileSystems.open(element, compression_type=CompressionTypes.UNCOMPRESSED) as file:
            files = [SourceFile.of_row(row) for row in json.loads(file.read())]
        for source_file in files:
            self._read(source_file)
        self._progress.add(len(files))

    def _read(self, file: SourceFile) -> None:
        accepted, row = reading.read(file, self._data, self._settings, self._decode)
        if accepted:
            self._write(accepted.split, file, tfrecords.framed(example(file, accepted)))
        self._write(LEDGER, file, f"{json.dumps(row)}\n".encode())

    def _write(self, kind: str, file: SourceFile, content: bytes) -> None:
        if kind not in self._open:
            path = os.path.join(self._targets.unfinished, f"{kind}-{uuid.uuid4().hex}")
            shard = Shard(kind, path, mixed_position(file))
            # Pictures don't compress, hence no gzip.
            self._open[kind] = (
                shard,
                FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED),
            )
        self._open[kind][1].write(content)

    def finish_bundle(self) -> Iterator[Any]:
        for shard, file in self._open.values():
            file.close()
            yield GlobalWindows.windowed_value((shard.kind, shard))


def ingest(
    pipeline: beam.Pipeline,
    files: list[SourceFile],
    data: Data,
    targets: Targets,
    settings: PictureSettings = DEFAULT,
) -> None:
    """Adds the steps that read `files` and write what `targets` says.

    Args:
      pipeline: Beam's.
      files: of the source.
      data: how they are split, and how large they may be.
      targets: where to.
      settings: how pictures become canonical.
    """
    FileSystems.mkdirs(targets.unfinished)
    portions = list(_write_portions(sorted(files, key=mixed_position), targets.unfinished))
    for prefix in targets.prefixes.values():
        if not FileSystems.exists(os.path.dirname(prefix)):
            FileSystems.mkdirs(os.path.dirname(prefix))
    _ = (
        pipeline
        | "Portions" >> beam.Create(portions)
        | "Spread" >> beam.Reshuffle()
        | "Read" >> beam.ParDo(ReadPictures(data, targets, len(files), settings))
        | "All shards" >> beam.GroupByKey()
        | "Name" >> beam.Map(_name, prefixes=targets.prefixes)
    )


def _write_portions(files: list[SourceFile], folder: str) -> Iterator[str]:
    """Writes the list of files in parts: as elements they would make the pipeline's graph large."""
    size = min(_MOST_FILES, -(-len(files) // _PORTIONS))
    for start in range(0, len(files), size):
        path = os.path.join(folder, f"files-{start:09}")
        with FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
            rows = [source_file.as_row() for source_file in files[start : start + size]]
            file.write(json.dumps(rows).encode())
        yield path


def _name(of_kind: tuple[str, Iterable[Shard]], prefixes: dict[str, str]) -> None:
    kind, shards = of_kind
    ordered = sorted(shards, key=lambda shard: shard.first)
    suffix = "jsonl" if kind == LEDGER else "tfrecord"
    for number, shard in enumerate(ordered):
        target = f"{prefixes[kind]}-{number:05}-of-{len(ordered):05}.{suffix}"
        if FileSystems.exists(shard.path):  # else this step is being retried
            FileSystems.rename([shard.path], [target])


def mixed_position(file: SourceFile) -> str:
    """Returns a sort key that mixes the classes, the same for the same names.

    A reader that shuffles within a window sees all classes in each of them.
    """
    return hashlib.sha256(f"{file.name}\0{file.label}".encode()).hexdigest()


def example(file: SourceFile, accepted: reading.Accepted) -> bytes:
    """Returns the picture's serialized Example."""
    picture = accepted.picture
    values: dict[str, examples.Value] = {
        features.ENCODED: picture.encoded,
        features.FORMAT: picture.format.encode(),
        features.HEIGHT: picture.height,
        features.WIDTH: picture.width,
        features.CHANNELS: picture.channels,
        features.ASPECT_RATIO: picture.width / picture.height,
        features.FILENAME: file.name.encode(),
        features.SHA256: accepted.sha256.encode(),
        features.LABEL: file.label.encode(),
    }
    if file.columns:
        values[features.COLUMNS] = json.dumps(dict(file.columns), ensure_ascii=False).encode()
    return examples.serialized(values)


def withdraw(pipeline: beam.Pipeline, shards: list[str], names: frozenset[str]) -> None:
    """Adds the steps that write TFRecord files anew, without the pictures that have these names."""
    _ = (
        pipeline
        | "Shards" >> beam.Create(shards)
        | "Spread shards" >> beam.Reshuffle()
        | "Withdraw" >> beam.Map(_without, names=names)
    )


def _without(path: str, names: frozenset[str]) -> None:
    import tensorflow as tf  # only here: a worker needs seconds for it

    aside = f"{path}.{uuid.uuid4().hex}"
    records = tfrecords.read_files([path]).as_numpy_iterator()
    kept = (record for record in records if Example(record).text(features.FILENAME) not in names)
    tfrecords.write(aside, kept)
    tf.io.gfile.rename(aside, path, overwrite=True)
