"""The driver of every step: it adds to the cache key what TFX does not see.

TFX caches a node by its inputs and execution properties. What else decides the result becomes an
execution property here, before the cache is asked: the code, the versions of the libraries, files
named by a path, the state of a folder. The driver looks all of this up just before the node runs,
in the node's own environment: a pipeline that was compiled a month ago runs with today's facts.
"""

from __future__ import annotations

import functools
import operator
import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import attr
from ml_metadata.metadata_store import MetadataStore
from tfx.dsl.components.base import base_driver
from tfx.orchestration.metadata import Metadata
from tfx.orchestration.portable import base_driver as portable_base_driver
from tfx.orchestration.portable.data_types import ExecutionInfo
from tfx.proto.orchestration import driver_output_pb2, pipeline_pb2
from tfx.types import Artifact
from tfx.utils import import_utils

from components.files.paths import IN_ROOT
from components.step import earlier_outputs, previous, progress
from components.step.code_version import code_version
from components.step.versions import version_of

CODE_VERSION, LIBRARIES = "code_version", "libraries"
"""Execution properties of every step."""

Inputs = Mapping[str, Sequence[Artifact]]


class StepDriver(base_driver.BaseDriver, portable_base_driver.BaseDriver):
    """Looks facts up before the node runs. A step names this class as `DRIVER_CLASS`.

    TFX's components accept only the first base, TFX's launcher calls the second (see its
    ExampleGen).
    """

    def __init__(self, metadata_handle: Metadata):
        base_driver.BaseDriver.__init__(self, metadata_handle)
        portable_base_driver.BaseDriver.__init__(self, metadata_handle)

    def run(self, execution_info: ExecutionInfo) -> driver_output_pb2.DriverOutput:
        """Hands the facts to the launcher, which adds them to the execution properties."""
        step = step_of(execution_info)
        own = {CODE_VERSION: step.code_version(), LIBRARIES: step.libraries()}
        properties = {**execution_info.exec_properties, **own}
        further = self.facts_of(attr.evolve(execution_info, exec_properties=properties))
        output = driver_output_pb2.DriverOutput()
        for key, value in {**own, **further}.items():
            output.exec_properties[key].string_value = value
        return output

    def facts_of(self, execution_info: ExecutionInfo) -> dict[str, str]:
        """Returns further execution properties; a step with more to look up overrides this."""
        return {}

    def previous(
        self,
        execution_info: ExecutionInfo,
        kind: type[Artifact],
        file: str,
        question: str,
        agrees: Callable[[str, str], bool] = operator.eq,
    ) -> dict[str, str]:
        """Returns the facts of a step that builds on its last output: see `previous.facts`.

        Args:
          execution_info: of the step.
          kind: of the output.
          file: that an output of this type has when it is whole.
          question, agrees: as there.
        """
        pipeline = execution_info.pipeline_info
        name = pipeline.id if pipeline else ""
        left = functools.partial(self._left, execution_info, kind, file)
        return previous.facts(self._mlmd_connection, name, kind, question, agrees, left)

    def _left(self, execution_info: ExecutionInfo, kind: type[Artifact], file: str) -> str:
        """Returns the last output of this type in the root, by whatever store it was made."""
        if self._mlmd_connection is None:
            return ""
        [[output]] = [
            some for some in execution_info.output_dict.values() if isinstance(some[0], kind)
        ]
        own = (output.get_string_custom_property(IN_ROOT) or output.uri).rstrip("/")
        with self._mlmd_connection as handle:
            asides = earlier_outputs.asides(handle.store, [own])
        outputs = earlier_outputs.newest_first(posixpath.dirname(own), file)
        # A killed attempt's own output goes, an earlier store's with this number is put aside.
        others = (asides.get(each, each) for each in outputs if each != own or each in asides)
        if found := next(others, ""):
            progress.note(f"goes on from {found}, which the metadata store does not know")
        return found


class Keyed:
    """A step that says what of its code and libraries belongs to its cache key.

    Mixed into a component, TFX's own included, before its other bases.
    """

    LIBRARIES: ClassVar[tuple[str, ...]]
    """The distributions that decide the result. Another version of one of them is another result,
    or may be; those that cannot change it are left out, so that their updates rerun nothing."""

    MODULES: ClassVar[tuple[str, ...]] = ()
    """Modules of this project that the step runs, and that no import leads to."""

    FILES: ClassVar[str] = ""
    """A pattern of the files in the step's folder that it reads."""

    DRIVER_CLASS: ClassVar[type[StepDriver]] = StepDriver

    @classmethod
    def alike(cls, store: MetadataStore, inputs: Inputs) -> Iterator[Inputs]:
        """Yields other inputs under which a result in the cache holds for these inputs, too.

        Args:
          store: the opened metadata.
          inputs: of an execution that the cache does not know.
        """
        yield from ()

    @classmethod
    def code_version(cls) -> str:
        """Returns the version of the project's code behind the step."""
        return code_version(cls.__module__, *cls.MODULES, files=cls.FILES)

    @classmethod
    def libraries(cls) -> str:
        """Returns the versions of its libraries here, as in `keras 3.12.4, numpy 1.26.4`."""
        return ", ".join(f"{name} {version_of(name) or 'absent'}" for name in sorted(cls.LIBRARIES))


def step_of(execution_info: ExecutionInfo) -> Any:
    """Returns the class of the step that is about to run."""
    return step_class(execution_info.pipeline_node)


def step_class(node: pipeline_pb2.PipelineNode) -> Any:
    """Returns the class of a node's step: TFX names the node's type by it."""
    return import_utils.import_class_by_path(node.node_info.type.name)
