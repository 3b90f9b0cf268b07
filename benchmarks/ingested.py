"""Solar cells as the pipeline's first steps leave them, for what is measured of the Trainer."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.figures import say
from serving.quiet_imports import quiet_import

with quiet_import():
    import keras

    from pipeline import local_runner

from components.model.chosen_weights import weights_file
from components.model.network import Network, build_network
from components.pretrained.base import build_base
from pipeline.commands import demo_data, preflight_network
from pipeline.commands import run as run_command
from pipeline.commands.console import quiet
from pipeline.config import Config
from pipeline.store import outputs, root


@dataclasses.dataclass(frozen=True)
class Inputs:
    """The inputs of a measured training."""

    config: Config
    examples: str
    transform_graph: str
    classes: list[str]

    def network(self) -> Network:
        """Builds the base with its weights, and the head that all sides start from."""
        model = self.config.model
        base = build_base(model.backbone, self.config.image_size, weights_file(model))
        keras.utils.set_random_seed(self.config.training.seed)
        return build_network(base, model.head, len(self.classes), model.features)


class Unwatched:
    """Ignores the components' progress."""

    def node_started(self, node_id: str, position: int, total: int) -> None: ...

    def node_ended(self, node_id: str, state: str, seconds: float) -> None: ...


_SMALL = (
    "image.size=[150, 150]",
    "training={frozen: {epochs: 30, learning_rate: 0.002}, "
    "unfrozen: {epochs: 3, from_layer: mixed9, learning_rate: 0.001}}",
    "training.class_weights=balanced",
)
"""In place of the preset's recipe, which takes hours on two cores."""


@contextlib.contextmanager
def ingested(pictures: int, assignments: Sequence[str]) -> Iterator[Inputs]:
    """Runs the demo's pipeline as far as a training needs it; its time is not counted.

    What is printed within the block goes to a log; the files are gone at its end.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder, runs = Path(scratch, "pictures"), Path(scratch, "runs")
        demo_data.solar_cells(folder, pictures, seed=0)
        request = run_command.Request(
            preset="solar-cells",
            data=str(folder),
            root=str(runs),
            assignments=[*_SMALL, *assignments],
        )
        config = preflight_network.with_weights_at_hand(run_command.build_config(request), say)
        with quiet(runs / "log", to_stderr=True):
            run = local_runner.run(config, Unwatched(), root.new_run_id(), to_node="Transform")
            classes = run.document(outputs.CLASS_LIST, "classes.json")
            examples, graph = (
                run.outputs[outputs.EXAMPLES].uri,
                run.outputs[outputs.TRANSFORM_GRAPH].uri,
            )
            yield Inputs(config, examples, graph, classes)
