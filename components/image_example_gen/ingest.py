"""The Beam steps that turn pictures into `tf.train.Example`s and keep a ledger of every file.

Which split a picture belongs to is known once all are read: a class, or a cluster of pictures that
look alike, is cut as a whole. So the pictures are read once and written as Examples in no split,
and then copied into their splits, which costs a thousandth of reading them.

Not Beam's own WriteToTFRecord: one such transform per split costs seconds to set up and a coder's
work per picture. As there, each bundle writes files of its own, which get their final names only
when all bundles are done, so that a bundle that is retried leaves nothing behind.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
import json
import os
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, BinaryIO

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.shared import Shared

from components.artifacts import examples, features, tfrecords
from components.artifacts.ledger_columns import CORRECTED_BY
from components.files import worker_files
from components.image_example_gen import reading
from components.image_example_gen.sources import SourceFile
from components.image_example_gen.sources.training_values import training_values
from components.image_example_gen.verdicts import Row
from components.packed import ordered
from components.settings.data import Data
from components.step import progress
from serving.picture_settings import DEFAULT, PictureSettings

SHARD, AT = "shard", "at"
"""In a row of the ledger: the file that holds the picture's Example, and the byte at which its
record begins. No two records share both; two pictures may share a name."""

LEDGERS = "ledgers.json"
"""The list of the ledger's files, in the folder of unfinished ones."""

_LEDGER, _EXAMPLES = "ledger", "examples"
_PORTIONS, _MOST_FILES = 64, 256  # at least so many portions, each of at most so many files
_MOST_THREADS = 8  # each holds a whole picture, and more of them wait for Python's lock
_SHARD_BYTES = (
    256_000_000  # of a file of Examples, about: it is copied, uploaded, retried as a whole
)


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
    """Reads `SourceFile`s, writes Examples and a ledger, and yields the ledger of each bundle.

    An element is the path of a file that holds some of them. A row of the ledger names the file
    that holds its Example: what a bundle that is retried leaves behind is in no row.
    """

    def __init__(
        self,
        data: Data,
        unfinished: str,
        total: int,
        settings: PictureSettings,
        corrections: Mapping[str, str],
        threads: int,
    ):
        self._data = data
        self._threads = min(threads, _MOST_THREADS)
        self._corrections = corrections
        self._settings = settings
        self._unfinished = unfinished
        self._make_progress = functools.partial(Progress, total)
        self._shared = Shared()

    def setup(self) -> None:
        from components.image_example_gen import graph_trial  # a worker needs seconds for it

        self._decode = graph_trial.decode
        self._progress = self._shared.acquire(self._make_progress)

    def start_bundle(self) -> None:
        self._open: dict[str, tuple[str, BinaryIO]] = {}
        self._shard_bytes = 0

    def process(self, element: str) -> None:
        files = files_of(element)
        found = reading.read_all(
            files, self._data, self._settings, self._decode, self._corrections, self._threads
        )
        for file, (accepted, row) in zip(files, found, strict=True):
            self._keep(file, accepted, row)
        self._progress.add(len(files))

    def _keep(self, file: SourceFile, accepted: reading.Accepted | None, row: Row) -> None:
        if accepted:
            values = training_values(file, self._data)
            if CORRECTED_BY in row:  # a person is sure
                values.pop(features.LABEL_PROBABILITY, None)
                file = dataclasses.replace(file, label=row["label"])
            row |= self._write_example(example(file, accepted, values))
        self._write(_LEDGER, f"{json.dumps(row)}\n".encode())

    def _write_example(self, content: bytes) -> dict[str, str]:
        """Returns where it lies. The shard is closed once it is large."""
        record = tfrecords.framed(content)
        place = {SHARD: self._write(_EXAMPLES, record), AT: str(self._shard_bytes)}
        self._shard_bytes += len(record)
        if self._shard_bytes >= _SHARD_BYTES:
            self._open.pop(_EXAMPLES)[1].close()
            self._shard_bytes = 0
        return place

    def _write(self, kind: str, content: bytes) -> str:
        """Returns the file's path."""
        if kind not in self._open:
            path = os.path.join(self._unfinished, f"{kind}-{uuid.uuid4().hex}")
            # Pictures don't compress, hence no gzip.
            self._open[kind] = path, worker_files.create(path)
        path, file = self._open[kind]
        file.write(content)
        return path

    def finish_bundle(self) -> Iterator[Any]:
        for _, file in self._open.values():
            file.close()
        if _LEDGER in self._open:
            yield GlobalWindows.windowed_value(self._open[_LEDGER][0])


def ingest(
    pipeline: beam.Pipeline,
    files: Sequence[SourceFile],
    data: Data,
    unfinished: str,
    settings: PictureSettings = DEFAULT,
    corrections: Mapping[str, str] | None = None,
    threads: int = 1,
) -> None:
    """Adds the steps that read `files` and write Examples and ledgers.

    Args:
      pipeline: Beam's.
      files: of the source.
      data: how large they may be.
      unfinished: the folder to write into.
      settings: how pictures become canonical.
      corrections: labels by path or SHA-256.
      threads: of each worker.
    """
    read = ReadPictures(data, unfinished, len(files), settings, corrections or {}, threads)
    portions = write_portions(ordered(SourceFile, files, mixed_position), unfinished)
    _ = (
        pipeline
        | "Portions" >> beam.Create(portions)
        | "Spread" >> beam.Reshuffle()
        | "Read" >> beam.ParDo(read)
        | "Pair" >> beam.Map(lambda ledger: (None, ledger))
        | "All ledgers" >> beam.GroupByKey()
        | "List" >> beam.Map(_list, path=os.path.join(unfinished, LEDGERS))
    )


def _list(ledgers: tuple[None, Iterable[str]], path: str) -> None:
    with worker_files.create(path) as file:
        file.write(json.dumps(sorted(ledgers[1])).encode())


def write_portions(files: Sequence[SourceFile], folder: str) -> list[str]:
    """Writes the list of files in parts: as elements they would make the pipeline's graph large.

    Returns:
      the paths of the parts, for `files_of`.
    """
    worker_files.make_folder(folder)
    size = min(_MOST_FILES, -(-len(files) // _PORTIONS))
    rest, paths = iter(files), list[str]()
    while some := list(itertools.islice(rest, size)):
        paths.append(os.path.join(folder, f"files-{len(paths):09}"))
        with worker_files.create(paths[-1]) as file:
            file.write(json.dumps([source_file.as_row() for source_file in some]).encode())
    return paths


def files_of(portion: str) -> list[SourceFile]:
    """Returns the files of one part that `write_portions` wrote."""
    with worker_files.opened(portion) as file:
        return [SourceFile.of_row(row) for row in json.loads(file.read())]


def mixed_position(file: SourceFile) -> str:
    """Returns a sort key that mixes the classes, the same for the same names.

    A reader that shuffles within a window sees all classes in each of them.
    """
    return position_of(file.name, file.label)


def position_of(name: str, label: str) -> str:
    """Returns the sort key of a picture with this name and label."""
    return hashlib.sha256(f"{name}\0{label}".encode()).hexdigest()


def example(
    file: SourceFile,
    accepted: reading.Accepted,
    for_training: Mapping[str, float] = MappingProxyType({}),
) -> bytes:
    """Returns the picture's serialized Example.

    Args:
      file: the picture's.
      accepted: the picture.
      for_training: its label's probability and its weight, by feature, where they are not 1.
    """
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
    values.update(for_training)
    return examples.serialized(values)
