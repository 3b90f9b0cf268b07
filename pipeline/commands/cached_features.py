"""The cached features of a run, for commands that fit heads on them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pipeline.config import Config


@contextlib.contextmanager
def readable_features(config: Config, run_id: str) -> Iterator[tuple[str, list[str]]]:
    """Yields the folder of a run's Bottlenecks artifact, on this machine, and the class list."""
    from components.artifacts import types as artifact_types
    from components.settings import metadata
    from pipeline.launch import local_copies
    from pipeline.store import outputs, runs

    run = runs.read_run(metadata.connection_config(config.metadata), run_id)
    wanted = {
        "bottlenecks": (outputs.BOTTLENECKS, artifact_types.Bottlenecks),
        "classes": (outputs.CLASS_LIST, artifact_types.ClassList),
    }
    with local_copies.readable(run, config.pipeline_root, wanted) as read:
        yield read["bottlenecks"].uri, artifact_types.read(read["classes"])
