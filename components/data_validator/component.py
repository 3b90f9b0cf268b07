"""DataValidator: stops the run before training where the data is not what it should be."""

from __future__ import annotations

import hashlib
import json

from tfx.orchestration.portable.data_types import ExecutionInfo
from tfx.types import standard_artifacts

from components.artifacts.types import FILES, DataAcceptance, IngestReport
from components.data_validator.executor import Executor
from components.step.base import Step
from components.step.driver import StepDriver


class Driver(StepDriver):
    """Finds the last data of this pipeline that passed.

    Data that was stopped left no acceptance, so it never becomes what later data is compared with,
    and a repeated run stops again.
    """

    def facts_of(self, execution_info: ExecutionInfo) -> dict[str, str]:
        return self.previous(
            execution_info, DataAcceptance, FILES[DataAcceptance], _digest(execution_info)
        )


def _digest(execution_info: ExecutionInfo) -> str:
    inputs = {
        key: [artifact.id for artifact in artifacts]
        for key, artifacts in execution_info.input_dict.items()
    }
    asked = json.dumps([inputs, execution_info.exec_properties], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()


class DataValidator(Step):
    """Compares the data with the last that passed, and its sizes and features with the rules.

    Writes an acceptance with all findings, or fails with those that stop the run. Nodes that must
    not see data that was stopped are put behind it by `add_upstream_node`.
    """

    EXECUTOR = Executor
    DRIVER_CLASS = Driver
    LIBRARIES = ()  # it decodes messages and compares numbers
    INPUTS = {
        "examples": standard_artifacts.Examples,  # to name the pictures whose size is out of range
        "ingest_report": IngestReport,  # how many pictures each class has
        "statistics": standard_artifacts.ExampleStatistics,  # the range of heights and widths
        "anomalies": standard_artifacts.ExampleAnomalies,  # what ExampleValidator found
    }
    OUTPUTS = {"acceptance": DataAcceptance}
