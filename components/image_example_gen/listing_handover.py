"""A listing kept on file beside the node's other system files: what is listed once is read there.

The command's first look at the pictures, the driver that computes the cache key and the executor
that reads them run one after another, maybe on several machines.
"""

from __future__ import annotations

import dataclasses
import io
import json
import posixpath
from collections.abc import Mapping
from typing import Any

from components.files import exists, keep_newest, read_bytes, write_bytes
from components.files.object_stores import reaches
from components.files.paths import IN_ROOT
from components.image_example_gen.sources import (
    Listing,
    SourceFile,
    compressed,
    scan,
    scan_with_evidence,
)
from components.image_example_gen.sources.listing import Counts
from components.image_example_gen.sources.unchanged import Evidence
from components.packed import Compressed
from components.settings.data import Data

NODE = "ImageExampleGen"

_SUFFIX = ".listing"
_RUNS, _LAST = "runs", "last.json"
_MOST_KEPT = 10  # listings, and as many runs, of which only those at work need theirs
_BESIDE = ("classes", "ignored", "notes", "unread", "corrections")  # the files


def node_in(root: str) -> str:
    """Returns the node's folder in a pipeline's root."""
    return posixpath.join(root, NODE)


def node_folder(outputs: Mapping[str, list[Any]]) -> str:
    """Returns the node's folder, from the place of its outputs: `node/output/execution`.

    It is the one in the root also for a node that works on a copy of it, where that is reached.
    """
    examples = outputs["examples"][0]
    in_root = examples.get_string_custom_property(IN_ROOT)
    place = in_root if in_root and reaches(in_root) else examples.uri
    return posixpath.dirname(posixpath.dirname(place.rstrip("/")))


def current(node: str, data: Data) -> Listing:
    """Returns what the source holds: as it was kept if it has not changed since, else anew."""
    return _unchanged(node, data) or scan_with_evidence(data)


def keep(listing: Listing, node: str, run_id: str | None = None) -> str:
    """Writes a listing into the node's folder, named by its fingerprint, which is returned.

    Args:
      listing: what was listed.
      node: the node's folder.
      run_id: the run that shall use it without listing anew.
    """
    fingerprint = listing.fingerprint()
    # One that was found anew may have other paths than the kept one with this fingerprint.
    if not (listing.is_kept and _is_kept(node, fingerprint)):
        write_bytes(_path(node, f"{fingerprint}{_SUFFIX}"), _packed(listing))
    evidence = dataclasses.asdict(listing.evidence) if listing.evidence else None
    last = {"fingerprint": fingerprint, "evidence": evidence}
    write_bytes(_path(node, _LAST), json.dumps(last).encode())
    if run_id:
        write_bytes(_path(node, _RUNS, run_id), fingerprint.encode())
    keep_newest(_path(node, _RUNS), _MOST_KEPT)
    keep_newest(_path(node), _MOST_KEPT, _SUFFIX)
    return fingerprint


def kept(node: str, fingerprint: str, evidence: Evidence | None = None) -> Listing | None:
    """Returns the listing with this fingerprint, None if it was not kept.

    Many files are unpacked when they are asked for. `evidence` is of its holding still.
    """
    try:
        content = io.BytesIO(read_bytes(_path(node, f"{fingerprint}{_SUFFIX}")))
    except OSError:
        return None
    document = json.loads(content.readline())
    counts, sizes = Counts(*document.pop("counts")), document.pop("blocks")
    files = Compressed.of_json(SourceFile, [content.read(size) for size in sizes])
    found = Listing(files, **document, evidence=evidence, is_kept=True)
    return found.known_as(fingerprint, counts)


def kept_for_run(node: str, run_id: str) -> str | None:
    """Returns the fingerprint of the listing that this run shall use, None if there is none."""
    try:
        fingerprint = read_bytes(_path(node, _RUNS, run_id)).decode()
    except OSError:
        return None
    return fingerprint if _is_kept(node, fingerprint) else None


def listed(outputs: Mapping[str, list[Any]], fingerprint: str, data: Data) -> Listing:
    """Returns the listing of the executor's driver; where that is gone, lists anew."""
    found = kept(node_folder(outputs), fingerprint)
    return found.holding(compressed(found.files)) if found else scan(data)  # it is read often


def _unchanged(node: str, data: Data) -> Listing | None:
    """Returns the last listing if what it was made of is as it was."""
    try:
        last = json.loads(read_bytes(_path(node, _LAST)))
        evidence = Evidence(**last["evidence"]) if last["evidence"] else None
    except (OSError, ValueError, KeyError, TypeError):  # none, or of another version
        return None
    if evidence is None or not evidence.holds(data):
        return None
    return kept(node, last["fingerprint"], evidence)


def _is_kept(node: str, fingerprint: str) -> bool:
    return exists(_path(node, f"{fingerprint}{_SUFFIX}"))


def _packed(listing: Listing) -> bytes:
    """Returns a line of JSON for what is known beside the files, and their blocks behind it."""
    blocks = list(compressed(listing.files).in_json())
    document = {name: getattr(listing, name) for name in _BESIDE}
    document |= {"counts": listing.counts, "blocks": [*map(len, blocks)]}
    return b"".join([json.dumps(document).encode(), b"\n", *blocks])


def _path(node: str, *names: str) -> str:
    return posixpath.join(node, ".system", "listings", *names)
