from __future__ import annotations

import os
import sys
from contextlib import nullcontext

import pytest

from components.errors import ConfigError
from components.settings import beam_options
from components.settings.beam_options import check_processes, pipeline_arguments
from components.settings.runtime import Runtime
from tests.explains import refused

PROCESSES = ["--runner=FnApiRunner", "--direct_running_mode=multi_processing"]


def test_the_default_stays_in_this_process_and_is_passed_on() -> None:
    default = Runtime().beam
    assert "--direct_running_mode=in_memory" in default
    assert pipeline_arguments(default) == [*default, "--sdk_container_image=none"]


@pytest.mark.parametrize(
    "given",
    [
        ["--runner=FlinkRunner", "--flink_master=f:8081", "--flink_job_server_jar=/opt/f.jar"],
        ["--runner", "flink", "--job_endpoint", "localhost:8099"],
        ["--runner=SparkRunner", "--spark_job_server_jar=/opt/s.jar"],
        ["--runner=PortableRunner", "--job_endpoint=localhost:8099"],
        ["--runner=DataflowRunner", "--project=p", "--region=r", "--temp_location=gs://b"],
        ["--runner=PrismRunner", "--prism_location=/opt/prism"],
    ],
)
def test_any_other_runner_gets_its_arguments_as_they_are(given: list[str]) -> None:
    assert pipeline_arguments(given) == given


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--runner=FlinkRunner", "--flink_master=f:8081"], "--flink_job_server_jar=... or"),
        (["--runner", "spark"], "--spark_job_server_jar=..."),
        (["--runner=PrismRunner"], "--prism_location=..."),
    ],
)
def test_a_runner_that_would_download_a_program_is_refused(given: list[str], words: str) -> None:
    with refused(
        ConfigError,
        found="would download a program",
        allowed="Get it yourself",
        next=f"add .*{words}",
    ):
        pipeline_arguments(given)


@pytest.mark.parametrize("name", ["DaskRunner", "dask", "apache_beam.runners.dask.DaskRunner"])
def test_a_runner_that_is_known_to_lose_data_is_refused_with_the_reason(name: str) -> None:
    with refused(
        ConfigError,
        found="daskrunner does not fit: .* loses every picture",
        allowed="cluster's FlinkRunner, SparkRunner, PortableRunner or DataflowRunner",
        next="Use FnApiRunner here",
    ):
        pipeline_arguments([f"--runner={name}"])


@pytest.mark.parametrize("given", [[], ["--runner=DirectRunner"], ["--runner=direct"]])
def test_the_direct_runner_never_looks_for_prism(given: list[str]) -> None:
    from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

    options = PipelineOptions(pipeline_arguments([*given, "--direct_num_workers=2"]))
    assert options.view_as(StandardOptions).runner == "FnApiRunner"


@pytest.mark.parametrize(
    ("interpreter", "given", "starts"),
    [
        ("/opt/python", PROCESSES, True),
        ("/my tools/python", Runtime().beam, True),
        ("/my tools/python", ["--runner=PortableRunner", *PROCESSES[1:]], True),
        ("/my tools/python", PROCESSES, False),
        ("/my tools/python", PROCESSES[1:], False),
    ],
)
def test_processes_that_could_not_start_are_refused(
    monkeypatch: pytest.MonkeyPatch, interpreter: str, given: list[str], starts: bool
) -> None:
    monkeypatch.setattr(sys, "executable", interpreter)
    refusal = refused(
        ConfigError,
        found="can't start processes of /my tools/python",
        allowed="its path has a space",
        next="Move the environment .* or use --direct_running_mode=multi_threading",
    )
    with nullcontext() if starts else refusal:
        check_processes(given)


@pytest.mark.parametrize(
    ("given", "alone"),
    [
        ([], True),
        (Runtime().beam, True),
        (["--runner=DirectRunner", "--direct_num_workers=1"], True),
        (["--runner=FnApiRunner", "--direct_num_workers=2"], False),
        (["--runner=FnApiRunner", "--direct_num_workers=0"], False),
        (["--runner=FlinkRunner"], False),
    ],
)
def test_the_only_worker_on_a_machine_takes_all_its_cores(
    given: list[str], alone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert beam_options.threads(given) == (8 if alone else 1)
