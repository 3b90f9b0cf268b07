"""InfraValidator with TensorFlow Serving itself, played by the stand-in on PATH."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.infra_validator.trial import find_fault
from tests.serving import stand_in
from tests.serving.samples import jpeg
from tests.serving.tiny_model import export


@pytest.fixture
def flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLAYED_DELAY", "2")
    return stand_in.put_on_path(tmp_path / "played", monkeypatch)


def test_a_good_candidate_is_tried_on_the_binary(flags: Path, tmp_path: Path) -> None:
    assert find_fault(export(tmp_path / "model"), [jpeg()]) is None
    assert "--grpc_max_threads=64" in flags.read_text()


def test_a_candidate_that_the_binary_cannot_load_is_refused_with_its_words(
    flags: Path, tmp_path: Path
) -> None:
    model = export(tmp_path / "model")
    (model / "variables" / "variables.index").write_bytes(b"noise")
    fault = find_fault(model, [jpeg()])
    assert fault == "The server has no version to serve: file is too short to be an sstable"
    assert flags.read_text()
