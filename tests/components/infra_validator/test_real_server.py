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
    flags: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "NOT_FOUND: Op type not registered 'Colour' in binary running on serving-1"
    monkeypatch.setenv("PLAYED_FAULT", words)  # Python's TensorFlow may know the op
    fault = find_fault(export(tmp_path / "model"), [jpeg()])
    assert fault == f"The server has no version to serve: {words}"
    assert flags.read_text()
