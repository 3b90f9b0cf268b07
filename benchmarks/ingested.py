"""Pictures as the pipeline's first steps leave them, for what is measured of the Trainer."""

from __future__ import annotations

import dataclasses

from serving.quiet import quiet_import

with quiet_import():
    from pipeline import local_runner

from pipeline import root
from pipeline.config import Config


@dataclasses.dataclass(frozen=True)
class Inputs:
    """What a measured training reads."""

    config: Config
    examples: str
    transform_graph: str
    classes: list[str]


class Unwatched:
    """Nobody looks at the components' progress."""

    def node_started(self, node_id: str, position: int, total: int) -> None: ...

    def node_ended(self, node_id: str, state: str, seconds: float) -> None: ...


def ingest(config: Config) -> Inputs:
    """Runs the pipeline as far as a training needs it; nobody's time is counted."""
    run = local_runner.run(config, Unwatched(), root.new_run_id(), to_node="Transform")
    classes = run.document("ClassList", "classes.json")
    return Inputs(config, run.outputs["Examples"].uri, run.outputs["TransformGraph"].uri, classes)
