"""Source, spans and root in a bucket, from a server on this machine that speaks S3."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.artifacts import features
from components.artifacts.examples import Example
from components.artifacts.tfrecords import read_records
from components.artifacts.types import OWN_BASE
from components.bottleneck_gen.frozen_base import RunBase
from components.evaluator import predict
from pipeline.commands.run import Request, execute
from tests import made_pictures, s3_server
from tests.checkout_tools import ROOT
from tests.e2e.conftest import SMALL
from tests.flink_cluster import answers, free_port, wait_for
from tests.s3_server import BUCKET, Server

pytestmark = pytest.mark.slow

POOL = "apache_beam.runners.worker.worker_pool_main"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    yield from s3_server.serving(monkeypatch)


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
    with (folder / "pool.log").open("wb") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", POOL, f"--service_port={port}"],
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


def refuse(*_: Any) -> Any:
    raise AssertionError("this is the workers' work, not that of the process that starts the run")


def rows_of(server: Server, root: str, split: str) -> dict[str, np.ndarray]:
    """Returns the features of a split by file, of the only run in a root."""
    [folder] = server.store.ls(f"{root}/image-classifier/BottleneckGen/bottlenecks", detail=False)
    rows = map(Example, read_records(f"s3://{folder}/Split-{split}").as_numpy_iterator())
    return {row.text(features.FILENAME): np.array(row.floats(features.BOTTLENECK)) for row in rows}


def test_a_span_in_a_bucket_becomes_a_pushed_model_here_and_on_workers_that_share_the_bucket_alone(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # where logs go
    pictures = made_pictures.make(tmp_path / "pictures", 40)
    for path in pictures.rglob("*.png"):
        for span in ("2026-01-01", "2026-01-08"):
            if span == "2026-01-08" or path.name < "010":
                name = path.relative_to(pictures).as_posix()
                server.put(f"weekly/{span}/{name}", path.read_bytes())

    def request(name: str, *assignments: str) -> Request:
        return Request(
            data=f"s3://{BUCKET}/weekly/{{YYYY}}-{{MM}}-{{DD}}",
            root=f"s3://{BUCKET}/{name}",
            assignments=[
                *SMALL,
                f"runtime.metadata={tmp_path / name}.sqlite",
                f"push.directory={tmp_path / name}",
                *assignments,
            ],
        )

    first = execute(request("runs"))
    assert first["verdict"] == "pushed", first["error"]
    assert first["report"].startswith(f"s3://{BUCKET}/runs/")
    assert Path(first["model_dir"], str(first["pushed_version"]), "saved_model.pb").is_file()
    second = execute(request("runs"))
    assert second["verdict"] == "unchanged"
    states = {node: facts["state"] for node, facts in second["components"].items()}
    # The Evaluator runs: only now is there a served model to compare with.
    assert {states[node] for node in ("ImageExampleGen", "BottleneckGen", "Trainer")} == {"cached"}

    # A random base is scaled to the first pictures, of which a pool has others: the same is taken.
    [weights] = server.store.glob(f"{BUCKET}/runs/**/bottlenecks/*/{OWN_BASE}")
    server.store.get_file(weights, str(tmp_path / OWN_BASE))
    (tmp_path / "workers").mkdir()
    monkeypatch.setattr(RunBase, "process", refuse)
    monkeypatch.setattr(predict._Ask, "process", refuse)
    with pool(tmp_path / "workers") as beam:
        pooled = execute(
            request(
                "pooled",
                f"runtime.beam={json.dumps(beam)}",
                f"model.weights={tmp_path / OWN_BASE}",
            )
        )
    assert pooled["verdict"] == "pushed", pooled["error"]
    print(server.of_workers)
