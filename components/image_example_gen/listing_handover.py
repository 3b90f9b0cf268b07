"""A listing kept on file beside the node's other system files: what is listed once is read there.

The command's first look at the pictures, the driver that computes the cache key and the executor
that reads them run one after another, maybe on several machines.
"""

from __future__ import annotations

import gzip
import io
import itertools
import json
import posixpath
from collections.abc import Mapping
from typing import Any

from components.files import keep_newest, read_bytes, write_bytes
from components.image_example_gen.sources import Listing, SourceFile, compressed, scan
from components.settings.data import Data

NODE = "ImageExampleGen"

_SUFFIX = ".json.gz"
_MOST_KEPT = 20  # files: the listings of ten runs, of which only those at work need theirs


def node_folder(outputs: Mapping[str, list[Any]]) -> str:
    """Returns the node's folder, from the place of its outputs: `node/output/execution`."""
    return posixpath.dirname(posixpath.dirname(outputs["examples"][0].uri.rstrip("/")))


def keep(listing: Listing, node: str, run_id: str | None = None) -> str:
    """Writes a listing into the node's folder, named by its fingerprint, which is returned.

    Args:
      listing: what was listed.
      node: the node's folder.
      run_id: the run that shall use it without listing anew.
    """
    fingerprint = listing.fingerprint()
    write_bytes(_path(node, f"{fingerprint}{_SUFFIX}"), _packed(listing))
    if run_id:
        write_bytes(_path(node, run_id), fingerprint.encode())
    keep_newest(_path(node, ""), _MOST_KEPT)
    return fingerprint


def kept(node: str, fingerprint: str) -> Listing | None:
    """Returns the listing with this fingerprint, None if it was not kept."""
    try:
        content = read_bytes(_path(node, f"{fingerprint}{_SUFFIX}"))
    except OSError:
        return None
    with gzip.open(io.BytesIO(content)) as lines:
        document = json.loads(next(lines))
        rows = itertools.chain(document.pop("files", ()), map(json.loads, lines))
        return Listing(files=compressed(map(SourceFile.of_row, rows)), **document)


def _packed(listing: Listing) -> bytes:
    """Returns a line of JSON for what is known beside the files, and one for each of them."""
    content = io.BytesIO()
    with gzip.GzipFile(fileobj=content, mode="wb", compresslevel=6, mtime=0) as lines:
        document = {key: value for key, value in vars(listing).items() if key != "files"}
        lines.write(f"{json.dumps(document)}\n".encode())
        for file in listing.files:
            lines.write(f"{json.dumps(file.as_row())}\n".encode())
    return content.getvalue()


def kept_for_run(node: str, run_id: str) -> Listing | None:
    """Returns the listing that this run shall use, None if there is none."""
    try:
        return kept(node, read_bytes(_path(node, run_id)).decode())
    except OSError:
        return None


def listed(outputs: Mapping[str, list[Any]], fingerprint: str, data: Data) -> Listing:
    """Returns the listing of the executor's driver; where that is gone, lists anew."""
    return kept(node_folder(outputs), fingerprint) or scan(data)


def _path(node: str, name: str) -> str:
    return posixpath.join(node, ".system", "listings", name)
