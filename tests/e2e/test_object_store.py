"""Source, spans and root in a bucket, from a server on this machine that speaks S3."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.types import OWN_BASE
from pipeline.commands.run import Request, execute
from tests import made_pictures, s3_server
from tests.beam_cluster import answers, free_port, wait_for
from tests.checkout_tools import ROOT
from tests.e2e.conftest import SMALL
from tests.e2e.same_results import assert_same
from tests.s3_server import BUCKET, Asked, Server

pytestmark = pytest.mark.slow

POOL = "apache_beam.runners.worker.worker_pool_main"
BOOT = """#!/bin/sh
for argument; do
  case $argument in
    --id=*) export WORKER_ID=${argument#*=} ;;
    --control_endpoint=*) control=${argument#*=} ;;
  esac
done
export CONTROL_API_SERVICE_DESCRIPTOR="url: '$control'" PIPELINE_OPTIONS={}
exec python -m apache_beam.runners.worker.sdk_worker_main
"""
"""What `/opt/apache/beam/boot` of Beam's image does for each worker of its pool."""


@dataclasses.dataclass(frozen=True)
class Bucket:
    """A bucket with two spans of pictures, and a folder for what is in no bucket."""

    server: Server
    folder: Path

    def run(self, root: str, *assignments: str) -> Run:
        """Runs the pipeline on the last span, with a root in the bucket."""
        request = Request(
            data=f"s3://{BUCKET}/weekly/{{YYYY}}-{{MM}}-{{DD}}",
            root=f"s3://{BUCKET}/{root}",
            assignments=[
                *SMALL,
                f"runtime.metadata={self.folder / root}.sqlite",
                f"push.directory={self.folder / 'served' / root}",
                *assignments,
            ],
        )
        before = len(self.server.requests)
        result = execute(request)
        return Run(self.server, root, result, self.server.requests[before:])


@dataclasses.dataclass(frozen=True)
class Run:
    """A run with a root in the bucket."""

    server: Server
    root: str
    result: dict[str, Any]
    requests: list[Asked]
    """What the server was asked meanwhile."""

    def output(self, component: str, name: str) -> str:
        """Returns the folder of an output, of which the root has one."""
        place = f"{BUCKET}/{self.root}/image-classifier/{component}/{name}"
        [folder] = self.server.store.ls(place, detail=False)
        return f"s3://{folder}"


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    folder = tmp_path_factory.mktemp("bucket")
    pictures = made_pictures.make(folder / "pictures", 40)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_CACHE_HOME", str(folder / "cache"))  # where logs go
        for server in s3_server.serving(patched):
            for path in pictures.rglob("*.png"):
                for span in ("2026-01-01", "2026-01-08"):
                    if span == "2026-01-08" or path.name < "010":
                        name = path.relative_to(pictures).as_posix()
                        server.put(f"weekly/{span}/{name}", path.read_bytes())
            yield Bucket(server, folder)


@pytest.fixture(scope="module")
def first(bucket: Bucket) -> Run:
    """A run on this machine."""
    return bucket.run("runs")


@contextlib.contextmanager
def pool(folder: Path) -> Iterator[list[str]]:
    """Yields the `runtime.beam` of workers that are processes of a pool.

    They have nothing of a run but Amazon's variables, and say to the store who they are.
    """
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if name.startswith("AWS_")},
        "AWS_SDK_UA_APP_ID": s3_server.WORKER,
        "HOME": str(folder),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(folder),
    }
    folder.mkdir()
    boot = folder / "boot"
    boot.write_text(BOOT)
    boot.chmod(0o755)
    with (folder / "pool.log").open("wb") as log:
        started = subprocess.Popen(
            [
                sys.executable,
                "-m",
                POOL,
                f"--service_port={port}",
                f"--container_executable={boot}",
            ],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,  # its workers are ended with it
        )
    try:
        wait_for("the pool of workers", lambda: answers(port))
        yield [
            "--runner=PortableRunner",
            "--job_endpoint=embed",
            "--environment_type=EXTERNAL",
            f"--environment_config=localhost:{port}",
            "--sdk_container_image=none",
        ]
    finally:
        os.killpg(started.pid, 9)
        started.wait()


def test_a_span_in_a_bucket_becomes_a_pushed_model_and_the_next_run_is_cached(
    bucket: Bucket, first: Run
) -> None:
    result = first.result
    assert result["verdict"] == "pushed", result["error"]
    assert result["report"].startswith(f"s3://{BUCKET}/runs/")
    assert Path(result["model_dir"], str(result["pushed_version"]), "saved_model.pb").is_file()
    second = bucket.run("runs")
    assert second.result["verdict"] == "unchanged"
    states = {node: facts["state"] for node, facts in second.result["components"].items()}
    # The Evaluator runs: only now is there a served model to compare with.
    assert {states[node] for node in ("ImageExampleGen", "BottleneckGen", "Trainer")} == {"cached"}

    # The command lists the source, once whatever the number of its pictures; these are read once.
    pictures = sorted(key for key in bucket.server.objects() if key.startswith("weekly/2026-01-08"))
    for run, read in ((first, pictures), (second, [])):
        of_source = [asked for asked in run.requests if "weekly" in asked.key + asked.prefix]
        assert [asked.prefix for asked in of_source if not asked.key] == ["weekly/"]
        assert sorted(asked.key for asked in of_source if asked.key) == read


def test_workers_that_share_the_bucket_alone_make_what_this_machine_does(
    bucket: Bucket, first: Run
) -> None:
    # A random base is scaled to the first pictures, of which a pool has others: the same is taken.
    base, server = bucket.folder / OWN_BASE, bucket.server
    made = first.output("BottleneckGen", "bottlenecks")
    server.store.get_file(f"{made}/{OWN_BASE}", str(base))
    with pool(bucket.folder / "workers") as beam:
        given = [f"runtime.beam={json.dumps(beam)}", f"model.weights={base}"]
        pooled = bucket.run("pooled", *given)
    assert_same(pooled, first)

    # Workers wrote all of it, and read the networks from the parcels, of which nothing is left.
    of_workers = [asked for asked in pooled.requests if asked.of_worker]
    written = {asked.key for asked in of_workers if asked.method in ("PUT", "POST")}
    there = {key for key in server.objects() if key.startswith("pooled/")}
    for part in ("examples", "bottlenecks", "predictions"):
        files = {key for key in there if re.search(rf"/{part}/\d+/.*(pictures|{part})-\d", key)}
        assert files and files <= written
    parcels = {asked.key for asked in of_workers if "/parcel-" in asked.key}
    assert {key.split("/")[2] for key in parcels} == {"BottleneckGen", "Evaluator"}
    assert not [key for key in there if "unfinished" in key or "/parcel-" in key]
