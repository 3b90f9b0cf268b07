"""TFX's launcher and metadata handle, with what every scheduler needs of them besides.

The handle waits for a server, and for others on a SQLite file. The launcher clears away what a
killed attempt left, and works on local copies where the root is no folder.
"""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

import attr
from ml_metadata import errors
from tfx.dsl.io import fileio
from tfx.orchestration import metadata
from tfx.orchestration.portable import (
    cache_utils,
    data_types,
    execution_publish_utils,
    launcher,
)
from tfx.orchestration.portable.beam_executor_operator import BeamExecutorOperator
from tfx.proto.orchestration import execution_result_pb2, pipeline_pb2

from components.artifacts import file_facts
from components.files.paths import is_remote
from components.settings.beam_options import has_external_workers, is_local
from components.step import earlier_outputs
from components.step.driver import step_class, step_of
from pipeline.launch import workers
from pipeline.launch.local_copies import Mirror, StagedDriver
from pipeline.store import changed_outputs, metadata_store, remote_files
from pipeline.store.postgres_workaround import ServerStore
from serving import atomic_files


class Handle(metadata.Metadata):
    """TFX's handle of the store; it waits for the server, and for others on a SQLite file."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self._guard = metadata_store.guard(config)
        self._is_server = metadata_store.kind(config) != "sqlite"

    def __enter__(self) -> Handle:
        self._guard.__enter__()
        try:
            metadata_store.wait_for(self.connection_config)
            super().__enter__()
        except BaseException:
            self._guard.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        super().__exit__(kind, error, trace)
        self._guard.__exit__(kind, error, trace)
        if isinstance(error, errors.StatusError):
            metadata_store.explain(error, self.connection_config)

    @property
    def store(self) -> Any:
        """The store that TFX reads and writes."""
        opened = super().store
        return ServerStore(opened) if self._is_server else opened


class Launcher(launcher.Launcher):
    """TFX's launcher of one node."""

    _driver_operator: Any

    def __init__(self, mirror: Mirror | None, **node: Any):
        """Makes the launcher.

        Args:
          mirror: of a root that is no folder.
          **node: what TFX's launcher takes.
        """
        super().__init__(**node)
        copies = works_on_copies(self._executor_operator, self._pipeline_node)
        self._mirror = mirror if copies else None
        if self._mirror and self._driver_operator:
            self._driver_operator = StagedDriver(self._driver_operator, self._mirror)

    def _prepare_execution(self) -> Any:
        prepared = super()._prepare_execution()
        caching = self._pipeline_node.execution_options.caching_options.enable_cache
        if not (prepared.is_execution_needed and caching):
            return prepared
        with self._mlmd_connection as handle:
            outputs = self._known_outputs(handle, prepared.execution_info)
            if outputs is None:
                return prepared
            execution_publish_utils.publish_cached_executions(
                handle,
                contexts=prepared.contexts,
                executions=[prepared.execution_metadata],
                output_artifacts_maps=[outputs],
            )
        return attr.evolve(prepared, is_execution_needed=False)

    def _known_outputs(self, handle: Any, execution: data_types.ExecutionInfo) -> Any:
        """Returns the outputs in the cache that hold for these inputs, too; None for none."""
        for inputs in step_of(execution).alike(handle.store, execution.input_dict):
            key = cache_utils.get_cache_context(
                metadata_handle=handle,
                pipeline_node=self._pipeline_node,
                pipeline_info=self._pipeline_info,
                executor_spec=self._executor_spec,
                input_artifacts=inputs,
                output_artifacts=execution.output_dict,
                parameters=execution.exec_properties,
            )
            found = cache_utils.get_cached_outputs(handle, cache_context=key)
            if found is not None:
                return found
        return None

    def _run_executor(
        self, execution_info: data_types.ExecutionInfo
    ) -> execution_result_pb2.ExecutorOutput:
        if distributed(self._executor_operator):
            self._expect_workers()
        self._clear_the_way(execution_info)
        if self._mirror is None:
            for artifact in itertools.chain(*execution_info.input_dict.values()):
                remote_files.expect(artifact.uri)
                if not is_remote(artifact.uri):
                    changed_outputs.check_input(artifact.mlmd_artifact)
            output = super()._run_executor(execution_info)
            _noted(output, self._pipeline_runtime_spec.pipeline_root.field_value.string_value)
            return output
        streamed = getattr(step_of(execution_info), "STREAMED", ())
        output = super()._run_executor(self._mirror.staged(execution_info, streamed))
        self._mirror.send(execution_info.output_dict)
        return self._mirror.renamed(output)

    def _clear_the_way(self, execution: data_types.ExecutionInfo) -> None:
        """Removes what a killed attempt left: the launcher resumes its execution, in its folders.

        What an earlier metadata store has there is put aside.
        """
        outputs = (artifact.uri for artifact in itertools.chain(*execution.output_dict.values()))
        there = [uri for uri in outputs if fileio.exists(uri)]
        if not there:
            return
        with self._mlmd_connection as handle:
            asides = earlier_outputs.asides(handle.store, there)
        for uri in there:
            if uri in asides:
                atomic_files.rename(Path(uri), Path(asides[uri]))
            else:
                fileio.rmtree(uri)

    def _expect_workers(self) -> None:
        given = _beam_arguments(self._executor_operator)
        if has_external_workers(given):
            root = self._pipeline_runtime_spec.pipeline_root.field_value.string_value
            workers.expect(given, root)


class WouldRun(Exception):
    """The node's result is not in the cache."""


class CacheLauncher(Launcher):
    """Goes as far as the cache and runs no executor."""

    def _run_executor(
        self, execution_info: data_types.ExecutionInfo
    ) -> execution_result_pb2.ExecutorOutput:
        raise WouldRun(execution_info.pipeline_node.node_info.id)


def _noted(output: execution_result_pb2.ExecutorOutput, root: str) -> None:
    """Adds to each output in a root that is a folder what files it has: later changes are seen."""
    for published in output.output_artifacts.values():
        for artifact in published.artifacts:
            # A baseline lies in the push directory, whose versions have digests of their own.
            if os.path.isdir(artifact.uri) and Path(artifact.uri).is_relative_to(root):
                note = file_facts.noted(artifact.uri)
                artifact.custom_properties[file_facts.FILES].string_value = note


def distributed(operator: Any) -> bool:
    """Checks whether the executor's work is done by Beam on other machines."""
    if not isinstance(operator, BeamExecutorOperator):
        return False
    return not is_local(_beam_arguments(operator))


def works_on_copies(operator: Any, node: pipeline_pb2.PipelineNode) -> bool:
    """Checks whether the executor works on local copies where the root is no folder.

    Beam's workers on other machines could not read them.
    """
    return not distributed(operator) or bool(getattr(step_class(node), "LOCAL_COPIES", False))


def _beam_arguments(operator: BeamExecutorOperator) -> list[str]:
    return [argument.value.string_value for argument in operator.beam_pipeline_args]
