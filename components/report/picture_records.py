"""The encoded pictures that the page shows, read where the ledger says that their records lie."""

from __future__ import annotations

import collections
import posixpath
from collections.abc import Collection, Iterator, Mapping

from tfx.types import Artifact, artifact_utils

from components.artifacts import features, ledger_rows, tfrecords
from components.artifacts.examples import Example


def encoded(
    inputs: Mapping[str, Artifact],
    files: Collection[str],
    splits: Collection[str] = features.SPLITS,
    most: int = -1,
) -> dict[str, bytes]:
    """Returns the encoded pictures with these file names.

    Args:
      inputs: the artifacts by the name of Report's inputs.
      files: names.
      splits: where they may be.
      most: how many pictures of a split are looked through where a ledger of an earlier version
        does not say where each lies; -1: all.
    """
    if not files or "examples" not in inputs:
        return {}
    folders = {split: artifact_utils.get_split_uri([inputs["examples"]], split) for split in splits}
    report = inputs.get("ingest_report")
    places = ledger_rows.places(report.uri, files) if report else None
    if places is None:
        found: dict[str, bytes] = {}
        for folder in folders.values():
            found |= looked_through(folder, set(files), most)
        return found
    of_file = collections.defaultdict(list)
    for split, name, offset in places.values():
        if split in folders:
            of_file[posixpath.join(folders[split], name)].append(offset)
    examples = (
        Example(record)
        for path, offsets in of_file.items()
        for record in tfrecords.records_at(path, sorted(offsets))
    )
    return {
        example.text(features.FILENAME): example.encoded(features.ENCODED) for example in examples
    }


def looked_through(folder: str, files: set[str], most: int = -1) -> dict[str, bytes]:
    """Returns those of these pictures that are among the first `most` of a split's folder."""
    found = {}
    for picture in first(folder, most) if files else ():
        name = picture.text(features.FILENAME)
        if name in files:
            found[name] = picture.encoded(features.ENCODED)
            if len(found) == len(files):
                break
    return found


def first(folder: str, most: int = -1) -> Iterator[Example]:
    """Yields the first pictures of a split's folder; -1: all."""
    return map(Example, tfrecords.read_records(folder).take(most).as_numpy_iterator())
