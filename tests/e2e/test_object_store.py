"""Source, spans and root in a bucket, from a server on this machine that speaks S3."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

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
