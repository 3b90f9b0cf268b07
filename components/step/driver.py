"""A driver that adds facts from outside the metadata to a node's cache key.

TFX caches a node by its inputs and execution properties. What else decides the result (files named
by a path, the state of a folder) becomes an execution property here, before the cache is asked.
"""

from __future__ import annotations

import abc
from typing import Any

from tfx.dsl.components.base import base_driver
from tfx.orchestration import metadata
from tfx.orchestration.portable import base_driver as portable_base_driver
from tfx.orchestration.portable import data_types
from tfx.proto.orchestration import driver_output_pb2


class ExecutionDriver(base_driver.BaseDriver, portable_base_driver.BaseDriver):
    """Looks facts up when the node is about to run. A component names it as `DRIVER_CLASS`.

    A component accepts the first base alone, the launcher runs the second (as in TFX's ExampleGen).
    """

    def __init__(self, metadata_handle: metadata.Metadata):
        base_driver.BaseDriver.__init__(self, metadata_handle)
        portable_base_driver.BaseDriver.__init__(self, metadata_handle)

    @abc.abstractmethod
    def facts_of(self, execution_info: data_types.ExecutionInfo) -> dict[str, str]:
        """Gives the further execution properties."""

    def run(self, execution_info: data_types.ExecutionInfo) -> driver_output_pb2.DriverOutput:
        """Gives the facts to the launcher, which hands them to the cache and to the executor."""
        output = driver_output_pb2.DriverOutput()
        for key, value in self.facts_of(execution_info).items():
            output.exec_properties[key].string_value = value
        return output


class FactsDriver(ExecutionDriver):
    """A driver whose facts follow from the execution properties alone."""

    @abc.abstractmethod
    def facts(self, exec_properties: dict[str, Any]) -> dict[str, str]:
        """Gives the further execution properties."""

    def facts_of(self, execution_info: data_types.ExecutionInfo) -> dict[str, str]:
        return self.facts(execution_info.exec_properties)
