"""Where runs leave their files, and what they run on."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from components.settings import metadata as metadata_address
from components.settings.airflow import Airflow
from components.settings.base import PATH, Section
from components.settings.kubeflow import Kubeflow
from components.settings.notify import Notify


class Runtime(Section):
    """Where runs leave their files and how Beam runs."""

    root: Annotated[str, Field(min_length=1), PATH] = "transfer-pipeline-runs"
    """Folder of artifacts, metadata and logs; of artifacts alone on gs:// and the like."""
    metadata: Annotated[str, AfterValidator(metadata_address.check_url), PATH] | None = None
    """The ML Metadata store: a SQLite file (in the root if left out), mysql://USER@HOST/DATABASE,
    postgresql://USER@HOST/DATABASE or grpc://HOST."""
    beam: list[str] = [
        # DirectRunner would download Prism, a program of Beam's, and run that.
        "--runner=FnApiRunner",
        "--direct_running_mode=in_memory",
        "--direct_num_workers=1",
    ]
    """Arguments of every Beam pipeline. The default keeps it in this process."""
    notify: Notify | None = None
    """Who is told when a run on this machine ends; null: nobody."""
    kubeflow: Kubeflow = Kubeflow()
    airflow: Airflow = Airflow()
