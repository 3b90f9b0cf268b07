"""`run --dry-run`: which nodes a run would take from the cache, and how long it would take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from components.errors import UserError
from components.image_example_gen import sources
from components.settings import metadata
from pipeline.commands import (
    init_speed,
    partial_run,
    preflight,
    preflight_network,
    preflight_pictures,
    run_times,
)
from pipeline.commands.console import RunView, quiet
from pipeline.config import Config
from pipeline.launch import environment, scratch
from pipeline.store import metadata_store

_WOULD_RUN = "would run"


def dry_run(
    config: Config,
    *,
    from_node: str | None = None,
    to_node: str | None = None,
    may_substitute: bool = False,
    as_json: bool = False,
) -> None:
    """Prints each node, whether it would be cached, and the estimated time. Changes no root.

    Args:
      config: the whole configuration.
      from_node: the first node of a partial run.
      to_node: the last node of one.
      may_substitute: as `run_config`.
      as_json: prints {"nodes": [{"node", "state", "seconds"}], "pictures", "seconds",
        "estimated_by"}, for programs.

    Raises:
      UserError: the run could not start.
    """
    found = _found(config, from_node, to_node, may_substitute)
    if as_json:
        print(json.dumps(found))
        return
    for line in _lines(found):
        print(line)


def _found(
    config: Config, from_node: str | None, to_node: str | None, may_substitute: bool
) -> dict[str, Any]:
    if metadata.is_url(config.metadata):
        raise UserError(
            "--dry-run asks a copy of the metadata, and those on a server "
            f"({config.metadata.partition(':')[0]}) can't be copied. It works where "
            "runtime.metadata is a SQLite file, as it is by default."
        )
    metadata_store.check_whole(config.metadata)
    partial_run.check_nodes(config, from_node, to_node)
    preflight_network.check_settings(config)
    listing = preflight.check_folders(config, writes=False)
    preflight_pictures.check_listing(config, listing)
    with scratch.folder() as folder, quiet(folder / "log", to_stderr=True) as shown:
        with RunView(shown) as view:
            view.say("Loading TensorFlow and TFX ...")
            with environment.heavy_imports():
                from pipeline import dry_runner
            if may_substitute:
                config = preflight_network.with_weights_at_hand(config, view.say, fetches=False)
            store = str(folder / "metadata.sqlite")
            metadata_store.copy_of(config.metadata, store)
            known = _times(config, store, len(listing.files))
            states = dry_runner.states(config, listing, store, folder / "root", from_node, to_node)
        return _document(config, listing, states, known)


def _times(config: Config, store: str, pictures: int) -> dict[str, float]:
    """Returns the seconds of the nodes that earlier runs tell of, by the copied metadata."""
    if not Path(store).is_file():
        return {}
    from pipeline.store import runs

    connection = metadata.connection_config(store)
    earlier = (runs.read_run(connection, run_id) for run_id in runs.run_ids(connection))
    return run_times.by_node(earlier, config.reported, pictures)


def _document(
    config: Config, listing: sources.Listing, states: dict[str, str], known: dict[str, float]
) -> dict[str, Any]:
    """Returns what `--json` prints; times by earlier runs, or by a forward pass for the whole."""
    must = [node for node, state in states.items() if state == _WOULD_RUN]
    seconds = sum(known.get(node, 0.0) for node in must)
    by = "earlier runs"
    if any(node not in known for node in must):
        seconds, by = _by_forward_pass(config, len(listing.files)), "forward pass"
    return {
        "nodes": [
            {
                "node": node,
                "state": state,
                "seconds": round(known[node], 1) if node in must and node in known else None,
            }
            for node, state in states.items()
        ],
        "pictures": len(listing.files),
        "seconds": round(seconds, 1),
        "estimated_by": by,
    }


def _by_forward_pass(config: Config, pictures: int) -> float:
    """Returns the seconds of a whole run, from a forward pass measured here."""
    training = config.training
    epochs = training.unfrozen.epochs
    if training.frozen.features == "end_to_end":
        epochs += training.frozen.epochs
    forward = init_speed.measured(config.model.backbone, max(config.image_size))
    return init_speed.run_seconds(forward, pictures, epochs)


def _lines(found: dict[str, Any]) -> Iterator[str]:
    for row in found["nodes"]:
        took = f"{row['seconds']:8.1f} s" if row["seconds"] is not None else ""
        yield f"{row['node']:<18}{row['state']:<10}{took}".rstrip()
    how = {
        "earlier runs": "by the times of earlier runs here",
        "forward pass": "for a whole run, by a forward pass measured on this machine",
    }[found["estimated_by"]]
    must = sum(row["state"] == _WOULD_RUN for row in found["nodes"])
    if must:
        words = init_speed.in_words(found["seconds"])
        yield f"{must} nodes would run on {found['pictures']} pictures: {words} ({how})."
    else:
        yield f"No node would run: {found['pictures']} pictures, as before."
    yield "Nothing was run or changed. Next: the same command without --dry-run."
