"""Source, spans and root in a bucket, from a server on this machine that speaks S3."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.bottleneck_gen.portions import Portion
from pipeline.commands.run import Request, execute
from tests import made_pictures, s3_server
from tests.e2e.conftest import SMALL
from tests.s3_server import BUCKET, Server

pytestmark = pytest.mark.slow


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    yield from s3_server.serving(monkeypatch)


def test_a_span_in_a_bucket_becomes_a_pushed_model_and_the_next_run_is_cached(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # where logs go
    pictures = made_pictures.make(tmp_path / "pictures", 40)
    for path in pictures.rglob("*.png"):
        for span in ("2026-01-01", "2026-01-08"):
            if span == "2026-01-08" or path.name < "010":
                name = path.relative_to(pictures).as_posix()
                server.put(f"weekly/{span}/{name}", path.read_bytes())
    request = Request(
        data=f"s3://{BUCKET}/weekly/{{YYYY}}-{{MM}}-{{DD}}",
        root=f"s3://{BUCKET}/runs",
        assignments=[
            *SMALL,
            f"runtime.metadata={tmp_path / 'metadata.sqlite'}",
            f"push.directory={tmp_path / 'served'}",
        ],
    )
    first = execute(request)
    assert first["verdict"] == "pushed", first["error"]
    assert first["report"].startswith(f"s3://{BUCKET}/runs/")
    assert Path(first["model_dir"], str(first["pushed_version"]), "saved_model.pb").is_file()
    second = execute(request)
    assert second["verdict"] == "unchanged"
    states = {node: facts["state"] for node, facts in second["components"].items()}
    # The Evaluator runs: only now is there a served model to compare with.
    assert {states[node] for node in ("ImageExampleGen", "BottleneckGen", "Trainer")} == {"cached"}


def test_workers_that_share_nothing_but_the_bucket_run_the_networks(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("boto3")  # Beam's own file system for s3:// needs it
    from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer

    from components.bottleneck_gen.frozen_base import RunBase
    from components.evaluator import predict

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    pictures = made_pictures.make(tmp_path / "pictures", 20)
    for path in pictures.rglob("*.png"):
        server.put(f"pictures/{path.relative_to(pictures).as_posix()}", path.read_bytes())
    seen: list[str] = []
    process, ask = RunBase.process, predict._Ask._folder

    def watched(self: RunBase, element: Portion) -> None:
        seen.extend([element.file, element.target, self._parcel])
        process(self, element)

    def asked(self: predict._Ask, model: str) -> str:
        seen.append(self._parcel)
        return ask(self, model)

    monkeypatch.setattr(RunBase, "process", watched)
    monkeypatch.setattr(predict._Ask, "_folder", asked)
    address, pool = BeamFnExternalWorkerPoolServicer.start()  # its workers are threads
    beam = ["--runner=PortableRunner", "--job_endpoint=embed", "--environment_type=EXTERNAL"]
    beam += [f"--environment_config={address}", "--sdk_container_image=none"]
    try:
        result = execute(
            Request(
                data=f"s3://{BUCKET}/pictures",
                root=f"s3://{BUCKET}/runs",
                assignments=[
                    *SMALL,
                    f"runtime.metadata={tmp_path / 'metadata.sqlite'}",
                    f"push.directory={tmp_path / 'served'}",
                    f"runtime.beam={json.dumps(beam)}",
                ],
            )
        )
    finally:
        pool.stop(0)
    assert result["verdict"] == "pushed", result["error"]
    assert len(seen) > 4 and all(place.startswith(f"s3://{BUCKET}/runs/") for place in seen)
    left = [key for key in server.objects() if "unfinished" in key or "parcel-" in key]
    assert left == []
