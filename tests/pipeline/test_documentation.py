"""The documentation of the configuration is true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.settings.beam_options import is_local, pipeline_arguments
from pipeline import config
from tests.checkout_tools import ROOT, lines

_DOCS = Path(__file__).parents[2] / "docs"
_NEWEST = ROOT / "constraints" / f"{lines.NEWEST.lock(lines.NEWEST.pythons[0])}.txt"
[BEAM] = re.findall(r"^apache-beam==([\d.]+)", _NEWEST.read_text(), re.MULTILINE)


def test_the_documented_configuration_is_every_key_with_its_default() -> None:
    text = (_DOCS / "configuration.md").read_text("utf-8")
    [block] = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    documented = yaml.safe_load(block)
    required = {"data": {"source": "PATH"}, "push": {"directory": "PATH"}}
    assert documented == config.build(required).model_dump()


def _runners() -> dict[str, Any]:
    """The worked examples of `runtime`, by Beam's runner."""
    text = (_DOCS / "schedulers.md").read_text("utf-8")
    section = text.partition("## Beam's runners")[2].partition("\n## ")[0]
    blocks = re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)
    examples = [yaml.safe_load(block)["runtime"] for block in blocks]
    return {example["beam"][0].removeprefix("--runner="): example for example in examples}


_MEANT = {
    "FlinkRunner": {
        "flink_master": "flink-jobmanager:8081",
        "flink_version": "1.20",
        "flink_job_server_jar": f"/opt/jars/beam-runners-flink-1.20-job-server-{BEAM}.jar",
        "environment_type": "EXTERNAL",
        "environment_config": "localhost:50000",
        "artifacts_dir": "/mnt/share/beam",
        "parallelism": 8,
    },
    "SparkRunner": {
        "spark_master_url": "spark://spark-master:7077",
        "spark_job_server_jar": "/opt/jars/spark-job-server.jar",
        "environment_type": "EXTERNAL",
        "environment_config": "localhost:50000",
        "environment_cache_millis": "60000",
        "artifacts_dir": "/mnt/share/beam",
    },
    "DataflowRunner": {
        "project": "my-project",
        "region": "europe-west4",
        "temp_location": "gs://bucket/beam",
        "staging_location": "gs://bucket/staging",
        "machine_type": "n1-standard-4",
        "max_num_workers": 16,
    },
}


@pytest.mark.parametrize("runner", _MEANT)
def test_beam_reads_the_documented_arguments_as_they_are_meant(
    runner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apache_beam.io.gcp import gcsio
    from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
    from apache_beam.options.pipeline_options_validator import PipelineOptionsValidator
    from apache_beam.runners.runner import create_runner

    # Dataflow's check looks the bucket up, and would wait minutes for credentials and an answer.
    monkeypatch.setattr(gcsio, "create_storage_client", lambda *_, **__: None)
    monkeypatch.setattr(gcsio.GcsIO, "is_soft_delete_enabled", lambda *_: False)
    example = _runners()[runner]
    places = {"data": {"source": "PATH"}, "push": {"directory": "PATH"}, "runtime": example}
    given = config.build(places).runtime.beam
    arguments = pipeline_arguments(given)
    assert arguments == given and not is_local(given)
    options = PipelineOptions(arguments)
    found = options.get_all_options(drop_default=True)
    image = found.pop("sdk_container_image")
    assert image.endswith("transfer-pipeline-worker:1")
    assert {key: found.get(key) for key in _MEANT[runner]} == _MEANT[runner]
    known = {argument.removeprefix("--").partition("=")[0] for argument in given}
    assert len(found) + 1 == len(known)  # an unknown argument would be passed over in silence
    assert options.view_as(StandardOptions).runner == runner
    assert not PipelineOptionsValidator(options, create_runner(runner)).validate()
