"""Trainer by several workers: the chief launches the node, the others help to train.

All are started with the same arguments. The chief launches the node as any other; the others wait
for its job, train with it, and publish nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from tfx.dsl.io import fileio
from tfx.proto.orchestration import pipeline_pb2

from components.errors import ConfigError, UserError
from components.files.paths import is_remote
from components.retries import waited_until
from components.step.base import SETTINGS, settings_in
from components.trainer.cluster import read_cluster
from components.trainer.settings import TrainerSettings

HELPED = "helped"
_NODE = "Trainer"
_OVER = ("ran", "cached")
_PAUSE = 1.0  # seconds between two looks
_PATIENCE = 1800.0  # seconds; the chief comes when its machine is there


class NoChief(UserError):
    """The chief offered no job in time."""


def is_helper(bound: pipeline_pb2.Pipeline, node: pipeline_pb2.PipelineNode) -> bool:
    """Checks whether this process is one of a Trainer's workers, and not the chief.

    Raises:
      ConfigError: TF_CONFIG is wrong, or the workers would not see each other's files.
    """
    parameters = node.parameters.parameters
    if node.node_info.id != _NODE or SETTINGS not in parameters:
        return False
    settings = {SETTINGS: parameters[SETTINGS].field_value.string_value}
    if settings_in(settings, TrainerSettings).training.distribution != "multi_worker":
        return False
    if is_remote(_root(bound)):
        raise ConfigError(
            f"training.distribution: multi_worker needs a root that all workers see as a folder; "
            f"found {_root(bound)}. Mount it, or set training.distribution=mirrored."
        )
    return not read_cluster(os.environ).is_chief


def help_out(
    bound: pipeline_pb2.Pipeline,
    node_id: str,
    state: Callable[[], str | None],
    pause: float = _PAUSE,
    patience: float = _PATIENCE,
) -> str:
    """Waits for the chief's job and trains with it.

    Args:
      bound: a compiled pipeline, bound to a run.
      node_id: the Trainer's.
      state: returns the state of the node; None where it has not run.
      pause: seconds between two looks for the job.
      patience: seconds to wait for the chief.

    Returns:
      `helped`, or the node's state where the node has run already.

    Raises:
      NoChief: no job came.
    """
    from components.trainer import job

    run_id = bound.runtime_spec.pipeline_run_id.field_value.string_value
    offer = job.offer_path(_root(bound), node_id, run_id)
    found = None

    def settled() -> bool:
        nonlocal found
        if fileio.exists(offer):
            return True
        found = state()
        return found in _OVER

    if not waited_until(settled, patience, pause):
        raise NoChief(
            f"No chief began to train in run {run_id!r} within {patience:.0f} s. Start "
            f"`run-node --node {node_id}` with the same arguments where TF_CONFIG has index 0."
        )
    if found in _OVER:
        return found
    job.take(offer)
    return HELPED


def _root(bound: pipeline_pb2.Pipeline) -> str:
    return bound.runtime_spec.pipeline_root.field_value.string_value
