"""Local copies for a node whose root lies on another file system.

Components read and write folders, and some of what they use (Keras, h5py, zip files) knows no other
file system. So the inputs are copied to this machine before a node's executor runs (but for those
that it reads in pieces where they lie), it writes here, and its outputs are copied into the root
before they are published. What must outlive the process,
the stateful working folder, stays in the root.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence

import attr
from tfx.dsl.io import fileio
from tfx.orchestration.portable.base_driver_operator import BaseDriverOperator
from tfx.orchestration.portable.data_types import ExecutionInfo
from tfx.proto.orchestration import driver_output_pb2
from tfx.proto.orchestration.execution_result_pb2 import ExecutorOutput
from tfx.types import Artifact

from components.files.paths import IN_ROOT, is_remote
from pipeline.store import remote_files
from pipeline.store.runs import Output, Run

Artifacts = Mapping[str, Sequence[Artifact]]


@contextlib.contextmanager
def mirrored(root: str) -> Iterator[Mirror | None]:
    """Yields the mirror of a pipeline's root; None for a root that is a folder.

    It lies where the system keeps temporary files (`TMPDIR`).
    """
    if not is_remote(root):
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="transfer-pipeline-") as folder:
        yield Mirror(root, folder)


@contextlib.contextmanager
def readable(
    run: Run, root: str, wanted: Mapping[str, tuple[Output, type[Artifact]]]
) -> Iterator[dict[str, Artifact]]:
    """Yields those of a run's outputs that there are, by the names of `wanted`, readable as files.

    Args:
      run: the run.
      root: of its pipeline.
      wanted: by a name of the caller's, outputs and their types.
    """
    made: dict[str, list[Artifact]] = {}
    for name, (output, kind) in wanted.items():
        if output in run.outputs:
            made[name] = [kind()]
            made[name][0].set_mlmd_artifact(run.outputs[output])
    with mirrored(root) as mirror:
        read = mirror.fetched(made) if mirror else made
        yield {name: some[0] for name, some in read.items()}


class Mirror:
    """A local folder in which artifacts have the same places as in the root."""

    def __init__(self, root: str, folder: str):
        self._root = root.rstrip("/")
        self._folder = folder

    def local(self, uri: str) -> str:
        """Returns the local place of what lies in the root; other places stay what they are."""
        inside = uri.startswith(f"{self._root}/")
        return self._folder + uri.removeprefix(self._root) if inside else uri

    def placed(self, artifacts: Artifacts) -> dict[str, list[Artifact]]:
        """Returns copies of the artifacts with local places, where nothing is yet."""
        placed = {key: [copy.deepcopy(each) for each in some] for key, some in artifacts.items()}
        for artifact in itertools.chain(*placed.values()):
            artifact.set_string_custom_property(IN_ROOT, artifact.uri)
            artifact.uri = self.local(artifact.uri)
        return placed

    def fetched(self, artifacts: Artifacts) -> dict[str, list[Artifact]]:
        """Returns copies of the artifacts with local places, and copies what they hold.

        Raises:
          FileSystemUnavailable: the root does not answer, or they are not there.
        """
        for artifact in itertools.chain(*artifacts.values()):
            if self.local(artifact.uri) != artifact.uri:
                remote_files.copy_tree(artifact.uri, self.local(artifact.uri))
        return self.placed(artifacts)

    def staged(self, execution: ExecutionInfo, streamed: Collection[str] = ()) -> ExecutionInfo:
        """Returns an execution that finds its inputs here and leaves its outputs here.

        Args:
          execution: as the root names its places.
          streamed: the inputs that are read where they lie.
        """
        inputs = execution.input_dict
        copied = {key: some for key, some in inputs.items() if key not in streamed}
        return attr.evolve(
            self.unread(execution),
            input_dict={**inputs, **self.fetched(copied)},
            execution_output_uri=self.local(execution.execution_output_uri),
            tmp_dir=self.local(execution.tmp_dir),
        )

    def unread(self, execution: ExecutionInfo) -> ExecutionInfo:
        """Returns an execution whose outputs have their places here; its inputs are not fetched."""
        return attr.evolve(execution, output_dict=self.placed(execution.output_dict))

    def send(self, outputs: Artifacts) -> None:
        """Copies the outputs (as the root names them) into the root, all or nothing.

        Raises:
          FileSystemUnavailable: the root does not answer.
        """
        try:
            for artifact in itertools.chain(*outputs.values()):
                remote_files.copy_tree(self.local(artifact.uri), artifact.uri)
        except BaseException:
            for artifact in itertools.chain(*outputs.values()):
                with contextlib.suppress(Exception):  # the next attempt clears away what is left
                    fileio.rmtree(artifact.uri)
            raise

    def renamed(self, output: ExecutorOutput) -> ExecutorOutput:
        """Returns an executor's output with the root's names for its places."""
        for artifact in itertools.chain(
            *(some.artifacts for some in output.output_artifacts.values())
        ):
            artifact.uri = artifact.uri.replace(self._folder, self._root)
            artifact.custom_properties.pop(IN_ROOT, None)
            for key in artifact.custom_properties:
                value = artifact.custom_properties[key]
                if self._folder in value.string_value:
                    value.string_value = value.string_value.replace(self._folder, self._root)
        return output


class StagedDriver:
    """A driver that finds the places of its outputs in the mirror: it may keep files there.

    It stands in for a driver operator in TFX's launcher.
    """

    def __init__(self, driver: BaseDriverOperator, mirror: Mirror):
        self._driver = driver
        self._mirror = mirror

    def run_driver(self, execution_info: ExecutionInfo) -> driver_output_pb2.DriverOutput:
        """Returns what the driver adds to the execution."""
        return self._driver.run_driver(self._mirror.unread(execution_info))
