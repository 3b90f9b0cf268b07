"""Checks the first and the last node of a partial run, before anything is loaded for it."""

from __future__ import annotations

import difflib
from pathlib import Path

from components.errors import ConfigError
from components.settings import metadata
from pipeline.config import Config
from pipeline.nodes import node_ids


def check_nodes(config: Config, from_node: str | None, to_node: str | None) -> None:
    """Checks that a partial run's nodes exist, and that the nodes before them have results.

    Raises:
      ConfigError: there is no such node, the last one comes before the first one, or the latest
        run lacks what the first one needs.
    """
    ids = node_ids(config)
    for option, node in (("--from", from_node), ("--to", to_node)):
        if node and node not in ids:
            close = difflib.get_close_matches(node, ids, n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise ConfigError(
                f"{option}: no node {node!r}.{hint} The nodes are {', '.join(ids)}. Name one of "
                "them."
            )
    if from_node and to_node and ids.index(to_node) < ids.index(from_node):
        raise ConfigError(
            f"--from {from_node} --to {to_node}: {to_node} comes before {from_node}, so nothing "
            f"would run. After --from may come {', '.join(ids[: ids.index(to_node) + 1])}, or "
            f"after --to {', '.join(ids[ids.index(from_node) :])}."
        )
    if from_node and (needed := ids[: ids.index(from_node)]):
        _check_results(config, from_node, needed)


def _check_results(config: Config, from_node: str, needed: list[str]) -> None:
    nothing = ConfigError(
        f"--from {from_node}: nothing has run in {config.root} so far as {config.pipeline_name}, "
        f"and the nodes before it ({', '.join(needed)}) have no results. Run once without --from."
    )
    if not metadata.is_url(config.metadata) and not Path(config.metadata).is_file():
        raise nothing
    from pipeline.store import metadata_store, runs

    store = metadata_store.with_password(metadata.connection_config(config.metadata))
    latest = runs.latest(store, config.pipeline_name)
    if latest is None:
        raise nothing
    lacking = [
        node for node in needed if node not in latest.nodes or latest.nodes[node].state == "failed"
    ]
    if lacking:
        raise ConfigError(
            f"--from {from_node}: the latest run, {latest.run_id}, has no results of "
            f"{', '.join(lacking)}, which come before. Run with --from {lacking[0]}, or without "
            "--from."
        )
