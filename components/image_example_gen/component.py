"""ImageExampleGen: labelled pictures in, three splits of Examples out."""

from __future__ import annotations

import hashlib
import json

from tfx.orchestration.portable.data_types import ExecutionInfo
from tfx.types import standard_artifacts

from components.artifacts.types import FILES, ClassList, IngestReport
from components.image_example_gen import listing_handover, memory
from components.image_example_gen.executor import Executor
from components.settings.data import Data
from components.settings.ingest import Ingest
from components.settings.pictures import ImageSettings
from components.step.base import BeamStep, settings_of
from components.step.driver import StepDriver


class Driver(StepDriver):
    """Adds the fingerprint of every file: TFX's own would not see a picture change its class."""

    def facts_of(self, execution_info: ExecutionInfo) -> dict[str, str]:
        """Lists the source, unless this run's command has done so, and keeps the listing.

        Finds the last ingest of this pipeline, too: pictures stay in the splits where it put them.
        """
        node = listing_handover.node_folder(execution_info.output_dict)
        found = listing_handover.kept_for_run(node, execution_info.pipeline_run_id)
        if found is None:
            listing = listing_handover.current(node, settings_of(execution_info))
            found = listing_handover.keep(listing, node)
        fingerprint = {"fingerprint": found}
        asked = json.dumps([fingerprint, execution_info.exec_properties], sort_keys=True)
        question = hashlib.sha256(asked.encode()).hexdigest()
        return fingerprint | self.previous(
            execution_info, IngestReport, FILES[IngestReport], question, _agree
        )


def _agree(folder: str, last: str) -> bool:
    """Checks whether every picture is still where an earlier ingest put it: that may be reused."""
    return folder == last or memory.read(folder).is_part_of(memory.read(last))


class ImageExampleGen(BeamStep):
    """Reads the sources and writes the splits, the class list and the ingest report."""

    EXECUTOR = Executor
    DRIVER_CLASS = Driver
    LIBRARIES = ("apache-beam", "numpy", "pi-heif", "Pillow", "simplejpeg", "tensorflow")
    OUTPUTS = {
        "examples": standard_artifacts.Examples,
        "class_list": ClassList,
        "ingest_report": IngestReport,
    }

    def __init__(self, data: Data, image: ImageSettings | None = None):
        """Makes the step.

        Args:
          data: the sources, splits and limits.
          image: of which the background of transparent pictures and the range of 16-bit ones count.
        """
        super().__init__(Ingest.of(data, image))
